"""Lets customers in on a day of their own: a birthday, the day they joined, a date some days ahead."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.journeys.entries._base import Entrant, Entry
from campaigns.journeys.nodes._base import Field, Wrong
from campaigns.models import Journey
from campaigns.schedule.local_time import moment
from campaigns.schedule.zones import zone_of

JOINED = "created_at"
MAX_SHIFT = 366


class DateEntry(Entry):
    name = "date"
    label = gettext_lazy("A date or an anniversary")
    fields = (
        Field(
            "trait", gettext_lazy("Trait with the date"), "text", default="birthday",
            help=gettext_lazy("Written as 1990-05-17. created_at is the day the customer joined."),
        ),
        Field(
            "days", gettext_lazy("So many days after it"), "number", is_needed=False, default=0,
            help=gettext_lazy("Negative: before it."),
        ),
        Field("yearly", gettext_lazy("Every year"), "flag", is_needed=False, default=True),
        Field("clock", gettext_lazy("At this time of the customer's day"), "clock", default="09:00"),
    )  # fmt: skip
    every = timedelta(minutes=5)
    # All zones of the world differ by quarters of an hour.
    every_rehearsed = timedelta(minutes=15)

    def check(self, params: Mapping[str, Any]) -> Iterator[Wrong]:
        trait = params.get("trait")
        if not isinstance(trait, str) or not 0 < len(trait) <= 200:
            yield "trait", _("Name the trait.")
        days = params.get("days") or 0
        if not isinstance(days, int) or abs(days) > MAX_SHIFT:
            yield "days", _("Write a whole number of days, at most %(n)s.") % {"n": MAX_SHIFT}
        try:
            time.fromisoformat(str(params.get("clock") or ""))
        except ValueError:
            yield "clock", _("Write a time of day like 09:00.")

    def describe(self, params: Mapping[str, Any]) -> str:
        days = int(params.get("days") or 0)
        shift = f" {days:+d} d" if days else ""
        return f"{params.get('trait')}{shift}, {params.get('clock')}"

    def find(
        self, journey: Journey, params: Mapping[str, Any], *, since: datetime, now: datetime, by: str
    ) -> Iterable[Entrant]:
        """Those whose moment lies between `since` and `now`; what was missed in a standstill is made up."""
        clock, shift = time.fromisoformat(str(params["clock"])), int(params.get("days") or 0)
        # Anywhere on earth it is yesterday, today or tomorrow of UTC.
        first = since.astimezone(UTC).date() - timedelta(days=1)
        last = now.astimezone(UTC).date() + timedelta(days=1)
        days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        wanted = {day - timedelta(days=shift): day for day in days}
        yearly = bool(params.get("yearly", True))
        for customer, zone, stated in self._stated(str(params["trait"]), sorted(wanted), yearly=yearly):
            for anchor, day in wanted.items():
                if not _falls_on(stated, anchor, yearly=yearly):
                    continue
                at = moment(day, clock, zone_of(zone))
                if since < at <= now:
                    yield Entrant(customer, f"date:{anchor.isoformat()}", at, {"date": stated.isoformat()})

    def _stated(self, trait: str, days: list[date], *, yearly: bool) -> Iterator[tuple[int, str, date]]:
        column = "to_char(created_at, 'YYYY-MM-DD')" if trait == JOINED else "left(traits ->> %(trait)s, 10)"
        texts = {f"{day:%m-%d}" if yearly else day.isoformat() for day in days}
        if "02-28" in texts or "03-01" in texts:
            texts.add("02-29")
        part = f"right({column}, 5)" if yearly else column
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT id, time_zone, {column} FROM customers_customer WHERE {part} = ANY(%(texts)s)",  # noqa: S608
                {"trait": trait, "texts": sorted(texts)},
            )
            for customer, zone, text in cursor.fetchall():
                try:
                    yield customer, zone, date.fromisoformat(text)
                except ValueError:
                    continue  # not a date after all


def _falls_on(stated: date, day: date, *, yearly: bool) -> bool:
    """Whoever was born on a 29 February celebrates on the 28th when there is none."""
    if not yearly:
        return stated == day
    if (stated.month, stated.day) == (2, 29) and not _is_leap(day.year):
        return (day.month, day.day) == (2, 28) and stated.year < day.year
    return (stated.month, stated.day) == (day.month, day.day) and stated < day


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
