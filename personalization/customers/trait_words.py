"""The value of a trait as people read it."""

import re
from datetime import datetime, time
from typing import Any

from django.utils import formats, timezone
from django.utils.translation import gettext as _

MOMENT = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d.*)?")


def trait_words(value: Any) -> str:
    """Dates and times in the reader's language and zone, truth as yes or no, lists without brackets.

    >>> trait_words([1, "two"]), trait_words("2026-02-30"), trait_words({"a": 1})
    ('1, two', '2026-02-30', "{'a': 1}")
    """
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(value, list):
        return ", ".join(map(trait_words, value))
    if isinstance(value, str) and MOMENT.fullmatch(value):
        return _moment(value)
    return str(value)


def _moment(text: str) -> str:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return text
    if len(text) == len("2026-01-01") or (found.tzinfo is None and found.time() == time()):
        return str(formats.date_format(found.date(), "DATE_FORMAT"))
    if found.tzinfo is not None:
        found = timezone.localtime(found)
    return str(formats.date_format(found, "DATETIME_FORMAT"))
