"""What a template gets before anything is sent: profile, situation and items of customers as they are now,
with a way out of the list that leads nowhere.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone

from campaigns.item_choice import ItemChoice
from campaigns.items.picks import ItemTexts, items_of, pick_items, pictures_for
from personalization.content.messages import compile_message
from personalization.context import as_values
from personalization.customers import selectors as customers
from personalization.customers.contexts import context_of
from personalization.customers.models import Customer


def example_context(customer: Customer | None, *, campaign: str, choice: ItemChoice) -> dict[str, Any]:
    """For this customer, or for nobody in particular."""
    now = timezone.now()
    if customer is None:
        return _context({"traits": {}}, [], campaign=campaign, at=now)
    return example_contexts([customer.pk], campaign=campaign, choice=choice, at=now)[customer.pk]


def example_contexts(
    customer_ids: Collection[int],
    *,
    campaign: str,
    choice: ItemChoice,
    at: datetime,
    raw: Mapping[str, Any] | None = None,
) -> dict[int, dict[str, Any]]:
    """By customer, at a moment and in a situation (`raw`, words of the Segment spec, which win)."""
    profiles = customers.profiles(customer_ids)
    picks = pick_items(dict.fromkeys(profiles, choice))
    texts, pictures = ItemTexts(items_of(picks)), pictures_for(picks)
    found = {}
    for pk, profile in profiles.items():
        items = texts.of(picks[pk], str(profile.get("language") or ""), pictures.get(pk))
        found[pk] = _context(profile, items, campaign=campaign, at=at, raw=raw)
    return found


def _context(
    profile: dict[str, Any], items: Sequence[dict[str, Any]], *, campaign: str, at: datetime,
    raw: Mapping[str, Any] | None = None,
) -> dict[str, Any]:  # fmt: skip
    return {
        "customer": profile,
        "context": as_values(context_of(profile, at=at, raw=raw)),
        "items": items,
        "unsubscribe_url": unsubscribe_nowhere(),
        "now": at,
        "campaign": {"name": campaign, "topic": ""},
    }


def unsubscribe_nowhere() -> str:
    """What stands for the way out in a message that nobody got."""
    return f"{settings.SITE_URL}/#unsubscribe"


def preheader_of(source: str, context: dict[str, Any]) -> str:
    """The preview text as a mailbox lists it: rendered like a subject."""
    if not source.strip():
        return ""
    return compile_message(subject=source, body="-").render(context).subject
