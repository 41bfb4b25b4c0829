"""What a newcomer finds ready in the demo shop: segments, metrics, a campaign to launch, a model in training.

All of it goes through the same services that staff and programs use.
"""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.models import Campaign
from campaigns.services import MessageDraft, save_campaign
from experiments.services import ensure_default_metrics
from personalization.content.starters import starters
from personalization.segments.discovery.services import create_discovery
from personalization.segments.models import DiscoveryKind, Segment
from personalization.segments.services import save_segment
from recommender.models import ModelRun
from recommender.services import train

ALGORITHM = "ease"
CONTROL_SHARE = 0.2
VIEWED: dict[str, Any] = {"event": "Product Viewed", "op": "count"}
ACTIVE = VIEWED | {"window": {"last_days": 180}, "is": "at_least", "value": 1}
QUIET = {"not": VIEWED | {"window": {"last_days": 90}, "is": "at_least", "value": 1}}
SPENT = {
    "event": "Order Completed",
    "op": "sum",
    "window": {"last_days": 365},
    "is": "at_least",
    "value": 100,
}
TEA = VIEWED | {
    "window": {"last_days": 90}, "where": [{"item": "category", "op": "is", "value": "Tea & Coffee"}],
    "is": "at_least", "value": 3,
}  # fmt: skip
CHINESE = {"trait": "language", "op": "is", "value": "zh"}


@transaction.atomic
def furnish(*, actor: str) -> tuple[Campaign, ModelRun]:
    """The caller enqueues the training of the answered run after commit."""
    ensure_default_metrics()
    active = _segment(
        _("Active customers"), _("Looked at something in the last 180 days."), {"all": [ACTIVE]}, actor
    )
    _segment(
        _("Slipping away"),
        _("Spent 100 or more in the last year, but did not look in for 90 days."),
        {"all": [SPENT, QUIET]}, actor,
    )  # fmt: skip
    tea = _segment(
        _("Tea lovers who read Chinese"),
        _("Looked at tea or coffee three times or more in the last 90 days."),
        {"all": [CHINESE, TEA]}, actor,
    )  # fmt: skip
    # A worker finds them within the first minute.
    create_discovery(
        name=_("Kinds of shoppers"), kind=DiscoveryKind.GROUPS, purchase_event="Order Completed", actor=actor
    )
    create_discovery(name=_("Like tea lovers"), kind=DiscoveryKind.LOOKALIKES, seed=tea, actor=actor)
    run = train(algorithm=ALGORITHM, actor=actor)
    return _campaign(active, actor), run


def _segment(name: str, description: str, definition: dict[str, Any], actor: str) -> Segment:
    """One of this name that staff made meanwhile is left as it is."""
    there = Segment.objects.filter(name=name).first()
    if there is not None:
        return there
    return save_segment(None, name=name, description=description, definition=definition, actor=actor).segment


def _campaign(segment: Segment, actor: str) -> Campaign:
    picks = next(starter for starter in starters() if starter.key == "picks")
    return save_campaign(
        None,
        name=_("Picks for you"),
        segment=segment,
        sender_name="Hearth & Meadow",
        sender_address=settings.DEFAULT_SENDER,
        control_share=CONTROL_SHARE,
        messages=[
            MessageDraft(
                key="picks", name=_("Personal picks"), subject=picks.subject, preheader=picks.preheader,
                body=picks.body,
            ),
            MessageDraft(
                key="news", name=_("The same news for all"),
                subject='{% if customer.language == "zh" %}架上有新货{% else %}New on our shelves{% endif %}',
                body=_news(),
            ),
        ],
        actor=actor,
    )  # fmt: skip


def _news() -> str:
    path = Path(settings.BASE_DIR) / "templates" / "demo" / "news.mjml"
    return path.read_text(encoding="utf-8").replace("SHOP_URL", f"{settings.SITE_URL}/demo/")
