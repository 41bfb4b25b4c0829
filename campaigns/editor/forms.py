"""What the editor sends, checked for shape; whether it makes sense is for `drafts` and `checks`."""

import json
import re
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest
from django.utils.translation import gettext as _

from campaigns.errors import InvalidCampaign
from campaigns.item_choice import ItemChoice, read_choice
from campaigns.models import CampaignKind, Fallback
from campaigns.planning.drafts import MessageDraft
from campaigns.tracking.utm import wrong_utm
from experiments.models import Allocation, Holdout
from personalization.content.missing import Policy
from personalization.context.times import is_zone
from personalization.segments.models import Segment
from recommender.ranking.rules import RulesError

MAX_BODY = 550_000
NOT_KEY = re.compile(r"[^a-z0-9_-]+")


def read_json(request: HttpRequest) -> dict[str, Any]:
    """The request's JSON object. Raises InvalidCampaign."""
    if len(request.body) > MAX_BODY:
        raise InvalidCampaign(_("The campaign is too large."))
    try:
        data = json.loads(request.body)
    except ValueError:
        raise InvalidCampaign(_("The request is not JSON.")) from None
    if not isinstance(data, dict):
        raise InvalidCampaign(_("The request is not a JSON object."))
    return data


def campaign_fields(data: dict[str, Any]) -> dict[str, Any]:
    """Keyword arguments of `services.save_campaign`. Raises InvalidCampaign."""
    return {
        "name": text(data, "name"),
        "segment": _segment(data.get("segment")),
        "sender_name": text(data, "sender_name")[:100],
        "sender_address": text(data, "sender_address")[:254],
        "topic": text(data, "topic") or "marketing",
        "channel": text(data, "channel") or "email",
        "control_share": _number(data.get("control_share"), "/control_share"),
        "holdout": _holdout(data.get("holdout")),
        **test_fields(data),
        **timing_fields(data),
        "utm": utm(data),
        "tracks_clicks": data.get("tracks_clicks") is not False,
        "messages": _messages(data.get("messages")),
    }


def test_fields(data: dict[str, Any]) -> dict[str, Any]:
    """What the editor says about the test: plan, test share, fallback. Raises InvalidCampaign."""
    plan = data.get("plan") or {}
    if not isinstance(plan, dict):
        raise InvalidCampaign(errors=[{"pointer": "/plan", "detail": _("This must be a JSON object.")}])
    return {
        "plan": {key: value for key, value in plan.items() if value not in (None, "")},
        "test_share": _number(data.get("test_share", 1), "/test_share"),
        "fallback": text(data, "fallback") or Fallback.BASELINE,
        "allocation": text(data, "allocation") or Allocation.FIXED,
        "learning": _object(data.get("learning"), "/learning"),
    }


def timing_fields(data: dict[str, Any]) -> dict[str, Any]:
    """Kind and timing; whether the timing makes sense is told when it is saved. Raises InvalidCampaign."""
    timing = data.get("timing") or {}
    if not isinstance(timing, dict):
        raise InvalidCampaign(errors=[{"pointer": "/timing", "detail": _("This must be a JSON object.")}])
    kind = text(data, "kind") or CampaignKind.BROADCAST
    if kind not in CampaignKind.values:
        raise InvalidCampaign(errors=[{"pointer": "/kind", "detail": _("Choose broadcast or triggered.")}])
    return {"kind": kind, "timing": timing}


def _object(value: object, pointer: str) -> dict[str, Any]:
    if value in (None, ""):
        return {}
    if not isinstance(value, dict):
        raise InvalidCampaign(errors=[{"pointer": pointer, "detail": _("This must be a JSON object.")}])
    return {key: one for key, one in value.items() if one not in (None, "")}


def text(data: dict[str, Any], key: str) -> str:
    value = data.get(key, "")
    if not isinstance(value, str):
        raise InvalidCampaign(errors=[{"pointer": f"/{key}", "detail": _("This must be a text.")}])
    return value.replace("\r\n", "\n")


def item_choice(data: dict[str, Any], *, pointer: str = "") -> ItemChoice:
    """Which items a message recommends. Raises InvalidCampaign with every problem."""
    try:
        return read_choice(data)
    except RulesError as error:
        raise InvalidCampaign(
            _("Correct the rules for recommended items."),
            errors=[{**one, "pointer": pointer + one["pointer"]} for one in error.errors],
        ) from error


def send_at(data: dict[str, Any]) -> datetime:
    """The moment meant by a local time and a time zone. Raises InvalidCampaign."""
    zone = text(data, "time_zone") or "UTC"
    try:
        if not is_zone(zone):
            raise ValueError(zone)
        return datetime.fromisoformat(text(data, "at")).replace(tzinfo=ZoneInfo(zone))
    except ValueError:
        detail = _("Choose a date, a time and a time zone.")
        raise InvalidCampaign(detail, errors=[{"pointer": "/scheduled_at", "detail": detail}]) from None


def _segment(pk: object) -> Segment | None:
    if pk in (None, "", 0):
        return None
    segment = (
        Segment.objects.filter(pk=pk).first() if isinstance(pk, int | str) and str(pk).isdigit() else None
    )
    if segment is None:
        raise InvalidCampaign(errors=[{"pointer": "/segment", "detail": _("There is no such segment.")}])
    return segment


def _holdout(pk: object) -> Holdout | None:
    if pk in (None, "", 0):
        return None
    found = Holdout.objects.filter(pk=pk).first() if isinstance(pk, int | str) and str(pk).isdigit() else None
    if found is None:
        raise InvalidCampaign(errors=[{"pointer": "/holdout", "detail": _("There is no such holdout.")}])
    return found


def _number(value: object, pointer: str) -> float:
    try:
        return float(str(value))
    except ValueError:
        raise InvalidCampaign(errors=[{"pointer": pointer, "detail": _("This must be a number.")}]) from None


def _messages(value: object) -> list[MessageDraft]:
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise InvalidCampaign(
            errors=[{"pointer": "/messages", "detail": _("This must be a list of messages.")}]
        )
    taken: set[str] = set()
    drafts = []
    for index, entry in enumerate(value):
        name = text(entry, "name").strip()[:100]
        key = _key(text(entry, "key") or name, taken)
        choice = item_choice(entry, pointer=f"/messages/{index}")
        drafts.append(
            MessageDraft(
                key=key, name=name or key, subject=text(entry, "subject"), preheader=text(entry, "preheader"),
                body=text(entry, "body"), weight=_number(entry.get("weight", 1), f"/messages/{index}/weight"),
                item_count=choice.count, rules=choice.rules, fields=message_fields(entry),
                missing=text(entry, "missing") or Policy.PRINT_NOTHING, translations=translations(entry),
            )
        )  # fmt: skip
    return drafts


def utm(data: dict[str, Any]) -> dict[str, str]:
    """What the links are to be tagged with. Raises InvalidCampaign."""
    wishes = data.get("utm") or {}
    if wrong_utm(wishes):
        detail = _("UTM parameters are short texts: source, medium, campaign, term, content.")
        raise InvalidCampaign(errors=[{"pointer": "/utm", "detail": detail}])
    return dict(wishes)


def message_fields(data: dict[str, Any]) -> dict[str, str]:
    """What the channel asks for beside subject and body; empty ones are left out. Raises InvalidCampaign."""
    fields = data.get("fields") or {}
    if not isinstance(fields, dict) or not all(isinstance(value, str) for value in fields.values()):
        raise InvalidCampaign(errors=[{"pointer": "/fields", "detail": _("This must be a JSON object.")}])
    return {name: value.replace("\r\n", "\n") for name, value in fields.items() if value}


def translations(data: dict[str, Any]) -> dict[str, Any]:
    """The texts in further languages with lines of one ending; whether they make sense is for `drafts`.
    Raises InvalidCampaign."""
    found = data.get("translations") or {}
    if not isinstance(found, dict):
        raise InvalidCampaign(
            errors=[{"pointer": "/translations", "detail": _("This must be a JSON object.")}]
        )
    return {
        language: {name: _with_plain_lines(value) for name, value in texts.items()}
        if isinstance(texts, dict) else texts
        for language, texts in found.items()
    }  # fmt: skip


def _with_plain_lines(value: object) -> object:
    if isinstance(value, dict):
        return {name: _with_plain_lines(one) for name, one in value.items()}
    return value.replace("\r\n", "\n") if isinstance(value, str) else value


def _key(wish: str, taken: set[str]) -> str:
    """A key of its own from a name: what two variants are told apart by in experiment and reports."""
    stem = NOT_KEY.sub("-", wish.lower()).strip("-_")[:40]
    if not stem or stem == "control":
        stem = "variant"
    key, number = stem, 2
    while key in taken:
        key, number = f"{stem}-{number}", number + 1
    taken.add(key)
    return key
