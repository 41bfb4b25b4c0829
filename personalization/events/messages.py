"""Messages of the Segment spec, read and checked one by one. Pure: no database.

In: the JSON object of one call, the call's name, when it was sent and received. Out: a Message, or
MessageError with a reason that names no personal data.
"""

import hashlib
import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from personalization.context.reading import keep_context
from personalization.customers.contexts import geoip
from personalization.customers.errors import InvalidTraits
from personalization.customers.traits import SplitTraits, clean_json, clean_text, split_traits
from personalization.events.errors import MessageError
from personalization.events.properties import Occurrence, occurrences_of

CALLS = ("identify", "track", "page", "screen", "group", "alias")
NAMES = {"page": "Page Viewed", "screen": "Screen Viewed"}


class Message(msgspec.Struct, frozen=True):
    call: str
    user_id: str
    anonymous_id: str
    occurred_at: datetime
    previous_id: str = ""
    traits: SplitTraits | None = None
    context: dict[str, Any] = {}
    occurrences: tuple[Occurrence, ...] = ()


def read_message(
    body: Any, *, call: str = "", sent_at: datetime | None = None, received_at: datetime
) -> Message:
    """One message; `call` is empty in a batch, where `type` names it. Raises MessageError."""
    if not isinstance(body, dict):
        raise MessageError("not a JSON object")
    call = call or str(body.get("type", ""))
    if call not in CALLS:
        raise MessageError(f"type: one of {', '.join(CALLS)}")
    user_id, anonymous_id = _identifier(body, "userId"), _identifier(body, "anonymousId")
    previous_id = _identifier(body, "previousId") if call == "alias" else ""
    if call == "alias" and not (user_id and previous_id):
        raise MessageError("alias wants userId and previousId")
    if not (user_id or anonymous_id):
        raise MessageError("userId or anonymousId is needed")
    sent_at = parse_time(body.get("sentAt"), name="sentAt") or sent_at
    occurred_at = happened_at(
        body.get("originalTimestamp"), body.get("timestamp"), sent_at=sent_at, received_at=received_at
    )
    context = keep_context(_object(body, "context"), geoip=geoip())
    try:
        message_id = _message_id(body)
        return Message(
            call, user_id, anonymous_id, occurred_at, previous_id,
            traits=_traits(body, call),
            context=clean_json(context),
            occurrences=_occurrences(body, call, message_id),
        )  # fmt: skip
    except InvalidTraits as error:
        raise MessageError(str(error)) from None


def _identifier(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise MessageError(f"{name}: not a text")
    text = clean_text(str(value)).strip()
    if len(text) > 200:
        raise MessageError(f"{name}: longer than 200 characters")
    return text


def _object(body: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = body.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise MessageError(f"{name}: not a JSON object")
    return value


def parse_time(value: Any, *, name: str) -> datetime | None:
    """In UTC, which is also meant where no zone is told. Raises MessageError."""
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        if 1900 <= moment.year < 2200:
            return moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        pass
    raise MessageError(f"{name}: not an ISO 8601 time")


def parse_sent_at(body: Mapping[str, Any]) -> datetime | None:
    """A batch's `sentAt`; an unreadable one counts as absent, for it must not cost the whole batch."""
    try:
        return parse_time(body.get("sentAt"), name="sentAt")
    except MessageError:
        return None


def happened_at(original: Any, stated: Any, *, sent_at: datetime | None, received_at: datetime) -> datetime:
    """The skew rule of the spec: how long before sending it happened is trusted, the client's clock is not.

    `original`, `stated`: originalTimestamp and timestamp as they came. An event never lies in the future: a
    client clock that runs ahead would keep it in every recent window. Raises MessageError.
    """
    original = parse_time(original, name="originalTimestamp")
    stated = parse_time(stated, name="timestamp")
    if original and sent_at:
        happened = received_at - max(sent_at - original, timedelta(0))
    else:
        happened = original or stated or received_at
    return min(happened, received_at)


def _message_id(body: Mapping[str, Any]) -> str:
    """The sender's, else derived from the content where that says when it happened, else a new one."""
    given = body.get("messageId")
    if given not in (None, ""):
        return str(given)
    if body.get("timestamp") or body.get("originalTimestamp"):
        content = {name: value for name, value in body.items() if name not in ("sentAt", "writeKey")}
        return hashlib.blake2b(json.dumps(content, sort_keys=True).encode(), digest_size=16).hexdigest()
    return uuid.uuid4().hex


def _traits(body: Mapping[str, Any], call: str) -> SplitTraits | None:
    if call == "identify":
        return split_traits(_object(body, "traits"))
    if call == "group":
        group = clean_json({**_object(body, "traits"), "id": _identifier(body, "groupId")})
        return SplitTraits({}, {"group": group})
    return None


def _occurrences(body: Mapping[str, Any], call: str, message_id: str) -> tuple[Occurrence, ...]:
    if call not in ("track", "page", "screen"):
        return ()
    properties = clean_json(_object(body, "properties"))
    if call == "track":
        name = body.get("event")
        if not isinstance(name, str) or not clean_text(name).strip():
            raise MessageError("event: a name is needed")
        name = clean_text(name).strip()
        if len(name) > 200:
            raise MessageError("event: longer than 200 characters")
    else:
        name = NAMES[call]
        if isinstance(body.get("name"), str):
            properties.setdefault("name", clean_text(body["name"]))
    return occurrences_of(name, properties, message_id=message_id)
