"""Two ways: who is in a segment now, and who is not."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.journeys.nodes._base import Field, Move, Node, Place, Stay, Traveler, Wrong
from personalization.segments import selectors as segments
from personalization.segments.models import Segment, SegmentVersion


class SplitSegmentNode(Node):
    name = "split_segment"
    label = gettext_lazy("Split by segment")
    icon = "call_split"
    fields = (Field("segment", gettext_lazy("Segment"), "segment"),)

    def exits(self, params: Mapping[str, Any]) -> tuple[str, ...]:
        return ("in", "out")

    def exit_label(self, name: str, params: Mapping[str, Any]) -> Any:
        return _("in it") if name == "in" else _("not in it")

    def check(self, params: Mapping[str, Any]) -> Iterator[Wrong]:
        if not is_segment(params.get("segment")):
            yield "segment", _("Choose a segment.")

    def describe(self, params: Mapping[str, Any]) -> str:
        return segment_name(params.get("segment"))

    def decide(self, travelers: Sequence[Traveler], place: Place) -> dict[int, Move | Stay]:
        inside = members_among(
            int(place.params["segment"]), [one.customer_id for one in travelers], now=place.now
        )
        return {one.id: Move("in" if one.customer_id in inside else "out") for one in travelers}


def is_segment(value: object) -> bool:
    return isinstance(value, int) and SegmentVersion.objects.filter(segment=value).exists()


def segment_name(value: object) -> str:
    found = Segment.objects.filter(pk=value).first() if isinstance(value, int) else None
    return found.name if found else _("no segment")


def members_among(segment_id: int, customer_ids: Sequence[int], *, now: Any) -> set[int]:
    """Those of the customers who are in the segment, as it is defined now."""
    version = Segment.objects.get(pk=segment_id).current
    found = segments.members(version, now=now).filter(pk__in=customer_ids)
    return set(found.values_list("pk", flat=True))
