"""The short way for nearly all messages: clean `track`, `page` and `screen` calls, from their very bytes.

What is odd in any way is left to `messages.read_message`, which alone decides what odd things mean and says
what is wrong with them; where this way answers, it answers the same. Pure: no database.
"""

from datetime import datetime
from typing import Any

import msgspec

from personalization.context.reading import keep_context
from personalization.customers.contexts import geoip
from personalization.customers.traits import MAX_DEPTH, MOST
from personalization.events.errors import MessageError
from personalization.events.messages import NAMES, Message, happened_at, parse_time
from personalization.events.properties import occurrences_of


class _Wire(msgspec.Struct):
    type: str
    messageId: str
    userId: str | None = None
    anonymousId: str | None = None
    event: str | None = None
    name: Any = None
    timestamp: str | None = None
    originalTimestamp: str | None = None
    sentAt: str | None = None
    properties: dict[str, Any] | None = None
    context: msgspec.Raw = msgspec.Raw(b"{}")


_MANY_DIGITS = b"0" * 38
_DIGITS_ALONE = bytes(ord("0" if chr(letter).isdigit() else " ") for letter in range(128)) + b" " * 128


def is_plain(raw: bytes) -> bool:
    """Neither an escaped NUL, nor a whole number that may be too large."""
    return b"\\u0000" not in raw and _MANY_DIGITS not in raw.translate(_DIGITS_ALONE)


def _plain_float(text: str) -> float:
    """Raises ValueError for a number that `clean_json` refuses."""
    number = float(text)
    if not -MOST < number < MOST:
        raise ValueError
    return number


_decode = msgspec.json.Decoder(_Wire, float_hook=_plain_float).decode
_decode_context = msgspec.json.Decoder(dict[str, Any] | None, float_hook=_plain_float).decode


class QuickReader:
    """For the messages of one batch: clients send the same context with each of them."""

    def __init__(self, *, sent_at: datetime | None, received_at: datetime, is_plain: bool = False) -> None:
        """`is_plain`: the whole call was looked at, and has nothing that `is_plain` finds in a message."""
        self.is_plain = is_plain
        self.sent_at = sent_at
        self.received_at = received_at
        self.contexts: dict[bytes, dict[str, Any]] = {}

    def read(self, raw: bytes) -> Message | None:
        """None: to be read with care."""
        # It may be nested too deeply.
        if raw.count(b"{") + raw.count(b"[") > MAX_DEPTH or not (self.is_plain or is_plain(raw)):
            return None
        try:
            wire = _decode(raw)
            name = _name(wire)
            if not name:
                return None
            user_id, anonymous_id = (wire.userId or "").strip(), (wire.anonymousId or "").strip()
            if not (user_id or anonymous_id) or not wire.messageId or len(user_id) + len(anonymous_id) > 200:
                return None
            properties = wire.properties if wire.properties is not None else {}
            if wire.type != "track" and isinstance(wire.name, str):
                properties.setdefault("name", wire.name)
            sent_at = parse_time(wire.sentAt, name="sentAt") or self.sent_at
            at = happened_at(
                wire.originalTimestamp, wire.timestamp, sent_at=sent_at, received_at=self.received_at
            )
            return Message(
                wire.type, user_id, anonymous_id, at,
                context=self._context(bytes(wire.context)),
                occurrences=occurrences_of(name, properties, message_id=wire.messageId),
            )  # fmt: skip
        except (msgspec.MsgspecError, MessageError, ValueError):
            return None

    def _context(self, raw: bytes) -> dict[str, Any]:
        kept = self.contexts.get(raw)
        if kept is None:
            kept = self.contexts[raw] = keep_context(_decode_context(raw) or {}, geoip=geoip())
        return kept


def _name(wire: _Wire) -> str:
    """Of the event; "" where that wants a second look."""
    if wire.type == "track":
        name = (wire.event or "").strip()
        return name if len(name) <= 200 else ""
    return NAMES.get(wire.type, "")
