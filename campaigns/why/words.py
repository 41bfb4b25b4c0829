"""The inputs of a decision as people read them: names and values in words, times in the reader's zone."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from django.utils import formats, timezone
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns.models import DeliveryStatus, SkipReason
from personalization.customers.models import Channel, SuppressionReason

LABELS: Mapping[str, Promise] = {
    "segment": _("Segment"), "version": _("Version"), "at": _("At"), "chance": _("Chance"),
    "variant": _("Variant"), "channel": _("Channel"), "topic": _("Topic"), "is_needed": _("Consent needed"),
    "granted": _("Agreed"), "source": _("Said at"), "recorded_at": _("Said on"), "reason": _("Reason"),
    "since": _("Since"), "journey": _("Journey"), "entered_at": _("Entered"), "rule": _("Else"),
    "quiet_hours": _("Quiet hours"), "time_zone": _("Time zone"), "due_at": _("Waits until"),
    "template": _("Template"), "message": _("Message"), "subject": _("Subject"),
    "tags": _("Computed for the message"), "variables": _("Given with the trigger"),
    "status": _("Status"), "attempts": _("Attempts"), "sent_at": _("Sent"),
    "answer": _("Answer of the service"), "message_id": _("Number of the message"),
    "waits_until": _("Waits until"), "control": _("Control group"), "language": _("Language"),
    "local_time": _("Local time"), "daypart": _("Time of day"), "season": _("Season"),
    "holiday": _("Holiday"), "country": _("Country"), "city": _("City"), "device": _("Device"),
}  # fmt: skip
# Shown by the page as lists.
LISTS = ("conditions", "picks", "caps", "devices")
_TIMES = ("at", "recorded_at", "since", "entered_at", "due_at", "sent_at", "waits_until")


def facts_in_words(facts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Label and value of each fact that says something."""
    for name, value in facts.items():
        if name not in LISTS and value not in (None, "", [], {}):
            yield str(LABELS.get(name, name)), _value(name, value)


def _value(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if name in _TIMES:
        at = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        return str(formats.date_format(timezone.localtime(at), "DATETIME_FORMAT"))
    if name in ("chance", "control"):
        # Rounded before: by itself it cuts off.
        return f"{formats.number_format(round(100 * value, 1), 1)} %"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {one}" for key, one in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    if name == "answer":
        # Those that are ours (a lost journal) are known to the translations; a server's own words are not.
        return gettext(str(value))
    # What an author has written is nobody's to translate: a subject “Order” stays one.
    return str(_CHOICES.get(name, {}).get(value, value))


_CHOICES: Mapping[str, Mapping[Any, Any]] = {
    "channel": dict(Channel.choices),
    "status": dict(DeliveryStatus.choices),
    "reason": {**dict(SuppressionReason.choices), **dict(SkipReason.choices)},
    "daypart": {
        "night": _("night"), "morning": _("morning"), "afternoon": _("afternoon"), "evening": _("evening"),
    },
    "season": {
        "spring": _("spring"), "summer": _("summer"), "autumn": _("autumn"), "winter": _("winter"),
    },
    "device": {
        "mobile": _("Phone"), "tablet": _("Tablet"), "desktop": _("Desktop"), "tv": _("Television"),
    },
    "rule": {"drop": _("gets nothing of this campaign"), "wait": _("waits until there is room")},
}  # fmt: skip
