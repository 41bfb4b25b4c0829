"""Lets in whoever comes into a segment."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.journeys.entries._base import Entrant, Entry
from campaigns.journeys.nodes._base import Field, Wrong
from campaigns.journeys.nodes.split_segment import is_segment, segment_name
from campaigns.models import Journey
from personalization.segments import selectors as segments
from personalization.segments.models import Segment


class SegmentEntry(Entry):
    name = "segment"
    label = gettext_lazy("Coming into a segment")
    fields = (
        Field("segment", gettext_lazy("Segment"), "segment"),
        Field(
            "with_present", gettext_lazy("Also those who are in it already"), "flag", is_needed=False,
            default=False,
        ),
    )  # fmt: skip
    every = timedelta(minutes=1)

    def check(self, params: Mapping[str, Any]) -> Iterator[Wrong]:
        if not is_segment(params.get("segment")):
            yield "segment", _("Choose a segment.")

    def describe(self, params: Mapping[str, Any]) -> str:
        return segment_name(params.get("segment"))

    def open(self, journey: Journey, params: Mapping[str, Any], *, now: datetime) -> None:
        if not params.get("with_present"):
            self._newcomers(journey, int(params["segment"]), now)

    def find(
        self, journey: Journey, params: Mapping[str, Any], *, since: datetime, now: datetime, by: str
    ) -> Iterable[Entrant]:
        for customer in self._newcomers(journey, int(params["segment"]), now):
            yield Entrant(customer, f"segment:{now.isoformat()}", now)

    def _newcomers(self, journey: Journey, segment_id: int, now: datetime) -> list[int]:
        """Who is in it now and was not at the last look; whoever went out is forgotten."""
        members = segments.members(Segment.objects.get(pk=segment_id).current, now=now)
        # `pk` alone, and as SQL: a million members never come to Python.
        query, values = members.order_by().values("pk").query.sql_with_params()
        with connection.cursor() as cursor:
            cursor.execute("CREATE TEMPORARY TABLE journey_look (id bigint PRIMARY KEY) ON COMMIT DROP")
            cursor.execute(f"INSERT INTO journey_look SELECT DISTINCT * FROM ({query}) AS m", values)  # noqa: S608
            cursor.execute(_GONE, [journey.pk])
            cursor.execute(_NEW, [journey.pk])
            new = [row[0] for row in cursor.fetchall()]
            cursor.execute("DROP TABLE journey_look")
        return new


_GONE = """
    DELETE FROM campaigns_journeymember AS m
    WHERE m.journey_id = %s AND NOT EXISTS (SELECT FROM journey_look AS n WHERE n.id = m.customer_id)
"""
_NEW = """
    INSERT INTO campaigns_journeymember (journey_id, customer_id)
    SELECT %s, n.id FROM journey_look AS n ORDER BY n.id ON CONFLICT DO NOTHING RETURNING customer_id
"""
