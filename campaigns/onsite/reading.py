"""A call of `POST /decide` as it is usually written, read in microseconds.

What is not written like that (numbers for text, blanks around a key, an unknown field, an error) is left
to the serializers, which are slower and say what is wrong. Both take the same for the same.
"""

from typing import Any

import msgspec

from campaigns.onsite.answering import Question
from personalization.context.reading import check_context

MAX_TEXT, MAX_KEY, MAX_PLACEMENTS, MAX_QUESTIONS = 200, 100, 20, 100
MAX_BYTES = 256 * 1024


class _Asked(msgspec.Struct, forbid_unknown_fields=True):
    placements: list[str] = []
    customer: str = ""
    anonymous_id: str = ""
    context: dict[str, Any] = {}
    seen: bool = True
    private: bool = False


class _Call(_Asked, forbid_unknown_fields=True):
    batch: list[_Asked] | None = None


_decode = msgspec.json.Decoder(_Call).decode


def read_call(raw: bytes) -> tuple[list[Question], bool] | None:
    """The questions and whether they came as a batch; None for what the serializers must look at."""
    if len(raw) > MAX_BYTES:
        return None
    try:
        call = _decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    asked: list[_Asked] = [call] if call.batch is None else call.batch
    if call.batch is not None and (call.placements or not 1 <= len(asked) <= MAX_QUESTIONS):
        return None
    if not all(_is_usual(one) for one in asked):
        return None
    questions = [
        Question(one.placements, one.customer, one.anonymous_id, one.context, one.seen, one.private)
        for one in asked
    ]
    return questions, call.batch is not None


def _is_usual(asked: _Asked) -> bool:
    return (
        1 <= len(asked.placements) <= MAX_PLACEMENTS
        and all(key and _is_plain(key, MAX_KEY) for key in asked.placements)
        and _is_plain(asked.customer, MAX_TEXT)
        and _is_plain(asked.anonymous_id, MAX_TEXT)
        and not (asked.context and check_context(asked.context))
    )


def _is_plain(text: str, longest: int) -> bool:
    return len(text) <= longest and "\0" not in text and text == text.strip()
