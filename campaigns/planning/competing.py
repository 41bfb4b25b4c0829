"""A campaign as a test: who competes in it, and the plan made from its wishes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from django.utils import timezone

from campaigns.models import Campaign
from experiments.decisions import Criteria
from experiments.models import Metric
from experiments.plans.draft import Entrant, draft_criteria

CONTROL = "control"


class HasKey(Protocol):
    @property
    def key(self) -> str: ...


def entrants(messages: Sequence[HasKey], control_share: float) -> list[Entrant]:
    """In the order of the variants that a launch makes."""
    control = [Entrant(CONTROL, True)] if control_share > 0 else []
    return [*control, *(Entrant(message.key, False) for message in messages)]


def entrants_of(campaign: Campaign) -> list[Entrant]:
    return entrants(list(campaign.messages.order_by("position", "pk")), campaign.control_share)


def draft_plan(
    campaign: Campaign, competing: Sequence[Entrant], *, start: datetime | None = None
) -> Criteria | None:
    """None when there is nothing to compare or nothing to measure. Raises InvalidPlan."""
    if len(competing) < 2 or not Metric.objects.filter(archived_at=None).exists():
        return None
    return draft_criteria(
        competing,
        wishes=campaign.plan,
        start=start or campaign.scheduled_at or timezone.now(),
        is_winner_test=campaign.test_share < 1,
    )
