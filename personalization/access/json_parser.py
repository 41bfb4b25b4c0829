"""JSON of calls, refused where no answer could tell of it and no row could hold it."""

import json
from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser


class PlainJSONParser(BaseParser):
    media_type = "application/json"

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Raises ParseError, also for what is nested too deep, for numbers beyond floats, and for texts with
        NUL or half a pair of surrogates."""
        encoding = (parser_context or {}).get("encoding", settings.DEFAULT_CHARSET)
        try:
            text = stream.read().decode(encoding)
            data = json.loads(text, parse_constant=_finite, parse_float=_finite)
        except (ValueError, RecursionError) as error:
            raise ParseError(_("JSON parse error - %(problem)s") % {"problem": error}) from None
        # Only an escape can write them: UTF-8 has no surrogates, and JSON no bare NUL.
        if "\\u" in text and any(_is_broken(one) for one in _texts(data)):
            raise ParseError(_("A text holds a NUL character or half of a pair of surrogates."))
        return data


def _finite(literal: str) -> float:
    if not isfinite(number := float(literal)):
        raise ValueError(literal)
    return number


def _is_broken(text: str) -> bool:
    return "\0" in text or any("\ud800" <= character <= "\udfff" for character in text)


def _texts(data: Any) -> Iterator[str]:
    """Names of members and texts, at any depth."""
    waiting = [data]
    while waiting:
        found = waiting.pop()
        if isinstance(found, str):
            yield found
        elif isinstance(found, dict):
            waiting += [*found, *found.values()]
        elif isinstance(found, list):
            waiting += found
