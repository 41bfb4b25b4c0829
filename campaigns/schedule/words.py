"""What is wrong with a timing, and what a timing means, as sentences."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from campaigns.errors import InvalidCampaign
from campaigns.schedule.timing import Timing, TimingError


def read_timing(data: Mapping[str, Any]) -> Timing:
    """Raises InvalidCampaign with a sentence for the field that is wrong."""
    try:
        return Timing.from_json(data)
    except TimingError as error:
        raise InvalidCampaign(
            _("Correct the marked fields and try again."),
            errors=[{"pointer": f"/timing/{error.pointer}", "detail": _sentence(error.code)}],
        ) from error


def _sentence(code: str) -> str:
    return {
        "unknown": _("There is no such setting."),
        "choice": _("Choose one of the offered values."),
        "text": _("This must be a text of at most 500 characters."),
        "number": _("This must be a number."),
        "range": _("This number is too small or too large."),
        "clock": _("Write a time of day like 09:00."),
        "hours": _("Write from and until as times of day, like 09:00."),
        "empty": _("From and until are the same: write two different times."),
        "order": _("A send window ends later on the day than it begins."),
        "days": _("Days are numbers from 0 (Monday) to 6."),
        "repeat": _("This repetition cannot be read: write it as an RRULE, like FREQ=WEEKLY;BYDAY=TU."),
        "zone": _("There is no such time zone."),
    }[code]
