"""Two ways: who did something, since entering the journey or lately, and who did not."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.journeys import happened
from campaigns.journeys.nodes._base import Field, Move, Node, Place, Stay, Traveler, Wrong, number


class SplitEventNode(Node):
    name = "split_event"
    label = gettext_lazy("Split by event")
    icon = "alt_route"
    fields = (
        Field("event", gettext_lazy("Event"), "event"),
        Field(
            "days", gettext_lazy("In the last days"), "number", is_needed=False, default=0,
            help=gettext_lazy("0: since entering the journey."),
        ),
    )  # fmt: skip

    def exits(self, params: Mapping[str, Any]) -> tuple[str, ...]:
        return ("yes", "no")

    def exit_label(self, name: str, params: Mapping[str, Any]) -> Any:
        return _("did it") if name == "yes" else _("did not")

    def check(self, params: Mapping[str, Any]) -> Iterator[Wrong]:
        if not happened.is_event_name(params.get("event")):
            yield "event", _("Name the event.")
        days = params.get("days") or 0
        if not isinstance(days, int | float) or not 0 <= days <= 3650:
            yield "days", _("This number is too small or too large.")

    def describe(self, params: Mapping[str, Any]) -> str:
        days = number(params, "days")
        event = str(params.get("event") or "")
        if not days:
            return _("%(event)s since entering") % {"event": event}
        return _("%(event)s in %(n)s days") % {"event": event, "n": f"{days:g}"}

    def decide(self, travelers: Sequence[Traveler], place: Place) -> dict[int, Move | Stay]:
        days = number(place.params, "days")
        back = place.now - timedelta(days=days)
        since = {one.customer_id: back if days else one.entered_at for one in travelers}
        did = happened.since(since, [str(place.params["event"])], until=place.now)
        return {one.id: Move("yes" if one.customer_id in did else "no") for one in travelers}
