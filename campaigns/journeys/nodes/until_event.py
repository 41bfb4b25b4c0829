"""Waits until the customer does something, and goes another way when it does not happen in time."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.journeys import happened
from campaigns.journeys.nodes._base import Field, Move, Node, Place, Stay, Traveler, Wrong, number
from campaigns.journeys.nodes.delay import MAX_HOURS


class UntilEventNode(Node):
    name = "until_event"
    label = gettext_lazy("Wait for an event")
    icon = "notifications_active"
    fields = (
        Field("event", gettext_lazy("Event"), "event"),
        Field("hours", gettext_lazy("At most so many hours"), "number", default=24),
    )

    def exits(self, params: Mapping[str, Any]) -> tuple[str, ...]:
        return ("happened", "timeout")

    def exit_label(self, name: str, params: Mapping[str, Any]) -> Any:
        return _("it happened") if name == "happened" else _("not in time")

    def check(self, params: Mapping[str, Any]) -> Iterator[Wrong]:
        if not happened.is_event_name(params.get("event")):
            yield "event", _("Name the event.")
        hours = params.get("hours", 0)
        if not isinstance(hours, int | float) or not 0 < hours <= MAX_HOURS:
            yield "hours", _("Wait between 0 and %(n)s hours.") % {"n": MAX_HOURS}

    def describe(self, params: Mapping[str, Any]) -> str:
        return _("%(event)s, at most %(n)s h") % {
            "event": params.get("event"), "n": f"{number(params, 'hours'):g}",
        }  # fmt: skip

    def decide(self, travelers: Sequence[Traveler], place: Place) -> dict[int, Move | Stay]:
        since = {one.customer_id: one.arrived_at for one in travelers}
        did = happened.since(since, [str(place.params["event"])], until=place.now)
        limit = timedelta(hours=number(place.params, "hours"))
        found: dict[int, Move | Stay] = {}
        for one in travelers:
            end = one.arrived_at + limit
            # What came in after the deadline came too late, also when we look late.
            if one.customer_id in did and did[one.customer_id] <= end:
                found[one.id] = Move("happened")
            else:
                found[one.id] = Move("timeout") if end <= place.now else Stay(end)
        return found
