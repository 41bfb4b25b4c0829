"""Waits for a time, and if wished from then until an hour of the customer's own clock."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import time, timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.journeys.nodes._base import Field, Move, Node, Place, Stay, Traveler, Wrong, number
from campaigns.schedule.local_time import next_at
from campaigns.schedule.zones import zone_of

MAX_HOURS = 24 * 400


class DelayNode(Node):
    name = "delay"
    label = gettext_lazy("Wait")
    icon = "hourglass_empty"
    fields = (
        Field("hours", gettext_lazy("Hours"), "number", default=24),
        Field(
            "clock", gettext_lazy("Then until"), "clock", is_needed=False,
            help=gettext_lazy("A time of each customer's own day, like 09:00. Empty: go on at once."),
        ),
    )  # fmt: skip

    def check(self, params: Mapping[str, Any]) -> Iterator[Wrong]:
        hours = params.get("hours", 0)
        if not isinstance(hours, int | float) or not 0 <= hours <= MAX_HOURS:
            yield "hours", _("Wait between 0 and %(n)s hours.") % {"n": MAX_HOURS}
        elif not hours and not params.get("clock"):
            yield "hours", _("Say how long to wait, or until what time of day.")
        if params.get("clock"):
            try:
                time.fromisoformat(str(params["clock"]))
            except ValueError:
                yield "clock", _("Write a time of day like 09:00.")

    def describe(self, params: Mapping[str, Any]) -> str:
        hours, clock = number(params, "hours"), params.get("clock")
        if hours and clock:
            return _("%(n)s h, then until %(clock)s") % {"n": f"{hours:g}", "clock": clock}
        return _("until %(clock)s") % {"clock": clock} if clock else _("%(n)s h") % {"n": f"{hours:g}"}

    def decide(self, travelers: Sequence[Traveler], place: Place) -> dict[int, Move | Stay]:
        hours = timedelta(hours=number(place.params, "hours"))
        clock = place.params.get("clock")
        found: dict[int, Move | Stay] = {}
        for one in travelers:
            until = one.arrived_at + hours
            if clock:
                until = next_at(time.fromisoformat(str(clock)), zone_of(one.time_zone), now=until)
            found[one.id] = Move("done") if until <= place.now else Stay(until)
        return found
