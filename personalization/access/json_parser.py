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
        """Raises ParseError, also for what is nested too deep and for numbers beyond floats, and ProblemError
        with the places of texts that hold NUL or half a pair of surrogates."""
        # That module needs the framework's views, which read this one when they are made.
        from personalization.access.problems import ProblemError

        encoding = (parser_context or {}).get("encoding", settings.DEFAULT_CHARSET)
        try:
            text = stream.read().decode(encoding)
            data = json.loads(text, parse_constant=_finite, parse_float=_finite)
        except (ValueError, RecursionError) as error:
            raise ParseError(_("JSON parse error - %(problem)s") % {"problem": error}) from None
        # Only an escape can write them: UTF-8 has no surrogates, and JSON no bare NUL.
        if "\\u" in text and (places := [place for place, one in _texts(data) if _is_broken(one)]):
            said = _("A text holds a NUL character or half of a pair of surrogates.")
            raise ProblemError(said, errors=[{"pointer": place, "detail": said} for place in places])
        return data


def _finite(literal: str) -> float:
    if not isfinite(number := float(literal)):
        raise ValueError(literal)
    return number


def _is_broken(text: str) -> bool:
    return "\0" in text or any("\ud800" <= character <= "\udfff" for character in text)


def _texts(data: Any) -> Iterator[tuple[str, str]]:
    """Names of members and texts, at any depth, with their JSON pointers; of a name, that of its object."""
    waiting = [("", data)]
    while waiting:
        place, found = waiting.pop()
        if isinstance(found, str):
            yield place, found
        elif isinstance(found, dict):
            yield from ((place, name) for name in found)
            waiting += [(f"{place}/{_escaped(name)}", value) for name, value in found.items()]
        elif isinstance(found, list):
            waiting += [(f"{place}/{number}", value) for number, value in enumerate(found)]


def _escaped(name: str) -> str:
    """RFC 6901; half a pair of surrogates could not be answered."""
    return name.replace("~", "~0").replace("/", "~1").encode(errors="replace").decode()
