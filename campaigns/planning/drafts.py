"""What a campaign looks like before it is saved, and what makes it no campaign at all."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from campaigns import channels
from campaigns.errors import InvalidCampaign
from campaigns.item_choice import DEFAULT_COUNT, MAX_COUNT, wrong_count
from campaigns.models import Fallback
from campaigns.planning.translations import check_translations
from personalization.access.known_fields import no_such_field
from personalization.content.missing import Policy
from recommender.ranking.rules import Rules

KEY = re.compile(r"[a-z0-9][a-z0-9_-]{0,49}")
MAX_MESSAGES = 20


@dataclass(frozen=True)
class MessageDraft:
    """One variant's message. `weight` is relative to the other variants."""

    key: str
    body: str
    subject: str = ""
    name: str = ""
    preheader: str = ""
    weight: float = 1.0
    item_count: int = DEFAULT_COUNT
    rules: Rules = field(default_factory=Rules)
    fields: Mapping[str, str] = field(default_factory=dict)
    missing: str = Policy.PRINT_NOTHING
    translations: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def validate(
    *, name: str, topic: str, channel: str, control_share: float, messages: Sequence[MessageDraft]
) -> None:
    """Raises InvalidCampaign with every problem. What only matters for sending is left to check_campaign."""
    errors = [
        {"pointer": pointer, "detail": str(detail)}
        for pointer, detail in (
            *_campaign(name=name, topic=topic, channel=channel, control_share=control_share),
            *_messages(messages),
            *(_fields(channel, messages) if channel in channels.names() else ()),
            *(
                found
                for index, message in enumerate(messages)
                for found in check_translations(
                    message.translations, channel=channel, where=f"/messages/{index}/translations"
                )
            ),
        )
    ]
    if errors:
        raise InvalidCampaign(_("Correct the marked fields and try again."), errors=errors)


def validate_test(*, test_share: float, fallback: str) -> None:
    """Raises InvalidCampaign."""
    errors = []
    if not 0 < test_share <= 1:
        errors.append({"pointer": "/test_share", "detail": _("The test share lies above 0 and up to 1.")})
    if fallback not in Fallback.values:
        errors.append({"pointer": "/fallback", "detail": _("Choose baseline, best or nobody.")})
    if errors:
        raise InvalidCampaign(_("Correct the marked fields and try again."), errors=errors)


def _campaign(*, name: str, topic: str, channel: str, control_share: float) -> Iterator[tuple[str, str]]:
    if not 0 < len(name.strip()) <= 200:
        yield "/name", _("Give the campaign a name of 1 to 200 characters.")
    if not 0 < len(topic) <= 50:
        yield "/topic", _("A topic has 1 to 50 characters.")
    if channel not in channels.names():
        yield "/channel", _("There is no such channel.")
    if not 0 <= control_share < 1:
        yield "/control_share", _("The control share lies between 0 and 1.")


def _fields(channel: str, messages: Sequence[MessageDraft]) -> Iterator[tuple[str, str]]:
    parts = ("subject", "preheader")  # beside the fields, not among them
    known = {field.name: field for field in channels.get(channel).fields if field.name not in parts}
    for index, message in enumerate(messages):
        for name, value in message.fields.items():
            where = f"/messages/{index}/fields/{name}"
            if name not in known:
                yield where, no_such_field(name, list(known))
            elif not isinstance(value, str) or len(value) > known[name].max_length or "\0" in value:
                yield where, _("This is too long, or no text.")


def _messages(messages: Sequence[MessageDraft]) -> Iterator[tuple[str, str]]:
    if len(messages) > MAX_MESSAGES:
        yield "/messages", _("A campaign has at most %(n)s variants.") % {"n": MAX_MESSAGES}
    seen: set[str] = set()
    for index, message in enumerate(messages):
        where = f"/messages/{index}"
        if not KEY.fullmatch(message.key) or message.key == "control":
            yield f"{where}/key", _("A key has small letters, digits, - and _; “control” is taken.")
        if message.key in seen:
            yield f"{where}/key", _("Each variant has its own key.")
        seen.add(message.key)
        if not (math.isfinite(message.weight) and message.weight > 0):
            yield f"{where}/weight", _("A weight is greater than 0.")
        if message.missing not in Policy.values:
            yield f"{where}/missing", _("Choose empty or skip.")
        if not 1 <= message.item_count <= MAX_COUNT:
            yield f"{where}/item_count", wrong_count()
        if len(message.subject) > 500 or len(message.preheader) > 300 or len(message.name) > 100:
            yield where, _("Subject, preview text or name is too long.")
        if any("\0" in text for text in (message.subject, message.preheader, message.body, message.name)):
            yield where, _("The text holds a character that cannot be stored.")
