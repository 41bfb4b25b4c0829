"""What page and API may ask for: which variant, as whom, in which situation; and the proofs for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from rest_framework.request import Request

from campaigns import channels
from campaigns.editor.examples import unsubscribe_nowhere
from campaigns.models import Campaign, Message
from campaigns.proofs.addresses import Address, addresses_in
from campaigns.proofs.proof import Proof, Situation, draw_proofs
from campaigns.proofs.unlike import Choice, audience, choose_of
from personalization.context.reading import check_context
from personalization.context.times import is_zone
from personalization.customers import reading

DEVICES = ("mobile", "tablet", "desktop")
MOST = 100  # characters of a place or a zone


@dataclass(frozen=True)
class Asked:
    """`errors` by the name of the field; the situation is then the profile's."""

    message: Message | None
    situation: Situation
    errors: Mapping[str, str]


def read_asked(campaign: Campaign, data: Mapping[str, Any]) -> Asked:
    """From `variant`, `at`, `country`, `city`, `zone`, `device`; empty ones are as the profile."""
    said = {name: str(data.get(name, "")).strip()[:MOST] for name in ("country", "city", "zone", "device")}
    errors: dict[str, str] = {}
    at = _moment(str(data.get("at", "")), errors)
    if said["zone"] and not is_zone(said["zone"]):
        errors["zone"] = _("There is no such time zone; write for example Asia/Shanghai.")
    if said["country"] and not (len(said["country"]) == 2 and said["country"].isascii()):
        errors["country"] = _("A country is two letters, for example CN.")
    if said["device"] and said["device"] not in DEVICES:
        errors["device"] = _("Choose mobile, tablet or desktop.")
    raw: dict[str, Any] = {}
    if place := {name: said[name] for name in ("country", "city") if said[name]}:
        raw["location"] = {**place, **({"country": place["country"].upper()} if "country" in place else {})}
    if said["zone"]:
        raw["timezone"] = said["zone"]
    if said["device"]:
        raw["device"] = {"type": said["device"]}
    assert not check_context(raw)
    wanted, messages = str(data.get("variant", "")), list(campaign.messages.order_by("position", "pk"))
    message = next((m for m in messages if m.key == wanted), None)
    if wanted and message is None:
        errors["variant"] = _("There is no such variant.")
    message = message or (messages[0] if messages else None)
    return Asked(message, Situation(at, {} if errors else raw), errors)


def _moment(text: str, errors: dict[str, str]) -> datetime:
    if not text:
        return timezone.now()
    try:
        at = parse_datetime(text)
        # Far years have no holidays, and near the ends of the calendar no time zone either.
        if at is not None and 1970 < at.year < 2200:
            return at if at.tzinfo else timezone.make_aware(at)
    except ValueError:
        pass
    errors["at"] = _("Write the time like 2026-12-01T09:00.")
    return timezone.now()


def choices_for(campaign: Campaign, asked: Asked) -> tuple[list[Choice], bool]:
    """Customers unlike each other, and whether they are of the segment."""
    found, is_segment = audience(campaign, now=timezone.now())
    return choose_of(found, address_column=channels.get(campaign.channel).address_column), is_segment


def make_proofs(
    request: HttpRequest | Request, campaign: Campaign, asked: Asked, choices: Sequence[Choice],
    *, may_see: bool,
) -> list[Proof]:  # fmt: skip
    """For the caller's eyes: masked without `may_see`, else noted as read. Empty without a message."""
    if asked.message is None:
        return []
    if may_see:
        reading.note_read(request, (one.customer_id for one in choices), page="message proofs")
    return list(draw_proofs(campaign, asked.message, choices, situation=asked.situation, masked=not may_see))


def addresses_of(proofs: Sequence[Proof]) -> list[Address]:
    """What the links and pictures of these messages lead to, but for the way out of the list."""
    return addresses_in((one.shown.get("html", "") for one in proofs), leave_out=(unsubscribe_nowhere(),))
