"""When a campaign is launched: once, or again and again."""

from dataclasses import replace
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from campaigns.errors import InvalidCampaign
from campaigns.models import Campaign
from campaigns.schedule.due import FIRST, launch_moment
from campaigns.schedule.recurrence import occurrences
from campaigns.schedule.timing import Timing
from campaigns.schedule.zones import zone_of

JUST_NOW = timedelta(minutes=5)  # a form takes its time
LAST_CLOCKS = timedelta(days=2)  # by then the day is over on every clock on earth


def plan_launch(campaign: Campaign, *, at: datetime, now: datetime) -> datetime:
    """The moment of the next launch; writes what was chosen, of a repetition the first occurrence, into
    `campaign.timing`, which the caller saves. Raises InvalidCampaign when nothing lies ahead."""
    timing = Timing.from_json(campaign.timing)
    # A mistyped year must not send to everybody at once.
    if not timing.repeat and at < now - (JUST_NOW if timing.mode == "once" else LAST_CLOCKS):
        detail = _("This time is over. To send right away, launch without a time.")
        raise InvalidCampaign(detail, errors=[{"pointer": "/at", "detail": detail}])
    wall = at.astimezone(zone_of(timing.zone)).replace(tzinfo=None, second=0, microsecond=0)
    timing = replace(timing, starts=wall.isoformat(timespec="minutes"))
    campaign.timing = timing.as_json()
    if not timing.repeat:
        return launch_moment(timing, at)
    found = _next(timing, now)
    if found is None:
        detail = _("No date of this repetition lies ahead.")
        raise InvalidCampaign(detail, errors=[{"pointer": "/timing/repeat", "detail": detail}])
    return found


def next_launch(campaign: Campaign, *, now: datetime) -> datetime | None:
    """After a launch: the next one. What was missed in a standstill is not made up for. None for the last."""
    timing = Timing.from_json(campaign.timing)
    return _next(timing, now) if timing.repeat and timing.starts else None


def _next(timing: Timing, now: datetime) -> datetime | None:
    """By local time the launch lies up to a day before the occurrence: the one that was just launched is
    still ahead, and is not the next."""
    zone = zone_of(timing.zone)
    start = datetime.fromisoformat(timing.starts)
    for at in occurrences(timing.repeat, start=start, zone=zone, after=now - FIRST):
        launch = launch_moment(timing, at)
        if launch > now:
            return launch
    return None
