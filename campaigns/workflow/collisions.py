"""Planned sends that meet at the same people: more than a frequency cap lets through, or several a day."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from campaigns.models import Campaign, FrequencyCap, TopicRule
from personalization.segments import explain, selectors
from personalization.segments.errors import CountTooSlow
from personalization.segments.explain import Region
from personalization.segments.models import Segment

SECONDS = 3.0


@dataclass(frozen=True)
class Planned:
    """One send of a campaign to its segment; a repeated one is planned many times."""

    campaign: Campaign
    at: datetime


@dataclass(frozen=True)
class Collision:
    """`people` would get more than the cap's messages within its window; without a cap, more than one on the
    day that begins with the first."""

    sends: tuple[Planned, ...]
    people: int
    cap: FrequencyCap | None = None


def collisions_among(planned: Sequence[Planned]) -> dict[str, Any]:
    """`collisions`, the largest first, and `is_too_slow` when the members could not be counted in time.

    Of the members on record now; what was sent before is not counted: a rehearsal does that.
    """
    meetings = list(_meetings(planned))
    ids = {send.campaign.segment_id for _cap, sends in meetings for send in sends if send.campaign.segment_id}
    if not ids:
        return {"collisions": [], "is_too_slow": False}
    try:
        with selectors.time_limit(SECONDS):
            regions = explain.overlap(list(Segment.objects.filter(pk__in=ids)))
    except CountTooSlow:
        return {"collisions": [], "is_too_slow": True}
    found = [
        Collision(sends, _people(sends, regions, most=cap.max_messages if cap else 1), cap)
        for cap, sends in meetings
    ]
    some = [one for one in found if one.people]
    return {"collisions": sorted(some, key=lambda one: -one.people), "is_too_slow": False}


def _meetings(planned: Sequence[Planned]) -> Iterator[tuple[FrequencyCap | None, tuple[Planned, ...]]]:
    """Sends that stand so close together that a cap might bite; on days without such, those of the day."""
    exempt = set(TopicRule.objects.filter(ignores_caps=True).values_list("topic", flat=True))
    ordered = sorted(planned, key=lambda send: send.at)
    capped: set[Planned] = set()
    for cap in FrequencyCap.objects.filter(is_active=True):
        fitting = [
            send
            for send in ordered
            if send.campaign.topic not in exempt
            and cap.channel in ("", send.campaign.channel)
            and cap.topic in ("", send.campaign.topic)
        ]
        for group in _close(fitting, timedelta(hours=cap.window_hours)):
            if len(group) > cap.max_messages:
                capped.update(group)
                yield cap, group
    free = [send for send in ordered if send not in capped]
    days: dict[Any, list[Planned]] = {}
    for send in free:
        days.setdefault(timezone.localdate(send.at), []).append(send)
    for together in days.values():
        if len(together) > 1:
            yield None, tuple(together)


def _close(sends: Sequence[Planned], window: timedelta) -> Iterator[tuple[Planned, ...]]:
    """The sends in each span of the window's length, those spans left out that lie within another's sends."""
    end = 0
    for place, first in enumerate(sends):
        group = tuple(send for send in sends[place:] if send.at - first.at < window)
        if place + len(group) > end:
            end = place + len(group)
            yield group


def _people(sends: Sequence[Planned], regions: Sequence[Region], *, most: int) -> int:
    """How many are in the segments of more than `most` of the sends."""
    times = Counter(send.campaign.segment_id for send in sends)
    return sum(
        region.count for region in regions if sum(times[segment] for segment in region.segments) > most
    )
