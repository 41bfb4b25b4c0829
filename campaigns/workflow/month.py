"""A month of sends: what went out, what is planned, and who would get too much of it."""

import calendar
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.dates import WEEKDAYS_ABBR

from campaigns.models import Campaign, CampaignKind, CampaignStatus, Run
from campaigns.schedule.due import FIRST
from campaigns.schedule.recurrence import occurrences
from campaigns.schedule.timing import Timing
from campaigns.schedule.zones import zone_of
from campaigns.workflow.collisions import Planned, collisions_among

# Of one repetition; more than a month has days is a mistake in the rule.
MOST_REPEATS = 62


@dataclass(frozen=True)
class Entry:
    """`status` is a run's, or "scheduled"; `audience` is None for what is only planned."""

    at: datetime
    name: str
    url: str
    status: str
    label: str
    audience: int | None = None


def read_month(text: str, *, now: datetime) -> date:
    """The first day of a month written 2026-12; of this month for anything else."""
    try:
        return datetime.strptime(text, "%Y-%m").date()
    except ValueError:
        return timezone.localdate(now).replace(day=1)


def month_of(first: date, *, now: datetime, told: Callable[[int], int]) -> dict[str, Any]:
    """What the calendar's template shows, by days of the active time zone; `told` makes of an audience's size
    what the caller may know."""
    zone = timezone.get_current_timezone()
    weeks = calendar.Calendar(firstweekday=0).monthdatescalendar(first.year, first.month)
    start = datetime.combine(weeks[0][0], time(), tzinfo=zone)
    end = datetime.combine(weeks[-1][-1] + timedelta(days=1), time(), tzinfo=zone)
    planned = list(planned_between(max(start, now), end))
    days: dict[date, list[Entry]] = {}
    for entry in sorted([*_past(start, end, told), *map(_of_planned, planned)], key=lambda entry: entry.at):
        days.setdefault(entry.at.astimezone(zone).date(), []).append(entry)
    today = timezone.localdate(now)
    return {
        "first": first,
        "previous": (first - timedelta(days=1)).strftime("%Y-%m"),
        "next": (first + timedelta(days=31)).strftime("%Y-%m"),
        "is_this_month": (first.year, first.month) == (today.year, today.month),
        "weekdays": list(WEEKDAYS_ABBR.values()),
        "weeks": [
            [
                {"day": day, "is_out": day.month != first.month, "is_today": day == today,
                 "entries": days.get(day, [])}
                for day in week
            ]
            for week in weeks
        ],
        "is_empty": not days,
        "zone": timezone.get_current_timezone_name(),
        **collisions_among(planned),
    }  # fmt: skip


def planned_between(start: datetime, end: datetime) -> Iterator[Planned]:
    """Every planned send to a segment in the time, repeated ones each time, by campaign."""
    scheduled = Campaign.objects.filter(
        status=CampaignStatus.SCHEDULED, kind=CampaignKind.BROADCAST, scheduled_at__lt=end + FIRST
    )
    for campaign in scheduled.order_by("scheduled_at"):
        for at in _moments(campaign, start):
            if at >= end:
                break
            if at >= start:
                yield Planned(campaign, at)


def _moments(campaign: Campaign, after: datetime) -> Iterator[datetime]:
    timing = Timing.from_json(campaign.timing)
    if timing.repeat and timing.starts:
        begins = datetime.fromisoformat(timing.starts)
        found = occurrences(timing.repeat, start=begins, zone=zone_of(timing.zone), after=after)
        return islice(found, MOST_REPEATS)
    assert campaign.scheduled_at is not None
    # By local time a launch is set to when the first clocks show the hour: the day that is meant is later.
    return iter([campaign.scheduled_at + (timedelta(0) if timing.mode == "once" else FIRST)])


def _past(start: datetime, end: datetime, told: Callable[[int], int]) -> list[Entry]:
    runs: Sequence[Run] = list(
        Run.objects.filter(launched_at__gte=start, launched_at__lt=end, is_standing=False)
        .exclude(campaign__kind=CampaignKind.TRIGGERED)
        .select_related("campaign")
        .order_by("launched_at")
    )
    return [
        Entry(
            run.launched_at, run.campaign.name,
            f"{reverse('campaigns:report', args=[run.campaign_id])}?run={run.number}", run.status,
            run.get_status_display(), told(run.audience_size),
        )
        for run in runs
    ]  # fmt: skip


def _of_planned(planned: Planned) -> Entry:
    campaign = planned.campaign
    return Entry(
        planned.at, campaign.name, reverse("campaigns:edit", args=[campaign.pk]), campaign.status,
        campaign.get_status_display(),
    )  # fmt: skip
