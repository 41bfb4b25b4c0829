"""How long something under way will still take, in seconds and in words."""

from datetime import datetime

from django.utils import timezone
from django.utils.translation import ngettext

SECONDS_TOLD = 90
"""What takes longer is told in minutes."""


def seconds_left(started_at: datetime | None, share: float) -> int | None:
    """As if it went on as it went; None while nothing is known, and at the end."""
    if started_at is None or not 0 < share < 1:
        return None
    passed = (timezone.now() - started_at).total_seconds()
    return int(passed * (1 - share) / share) + 1


def time_left(started_at: datetime | None, share: float) -> str:
    """The same in words; empty for None."""
    seconds = seconds_left(started_at, share)
    if seconds is None:
        return ""
    if seconds < SECONDS_TOLD:
        return ngettext("about %(n)d second left", "about %(n)d seconds left", seconds) % {"n": seconds}
    minutes = seconds // 60
    return ngettext("about %(n)d minute left", "about %(n)d minutes left", minutes) % {"n": minutes}
