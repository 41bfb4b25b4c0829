"""What a campaign's test could see, from the shop's own past: for the editor, the check list and the API."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from django.core.cache import cache
from django.utils import timezone
from django.utils.translation import gettext

from campaigns.models import Campaign
from campaigns.planning.competing import draft_plan, entrants
from experiments import metrics
from experiments.decisions import Criteria, Guardrail
from experiments.models import Metric
from experiments.outlooks.guardrail import Protection, look_at_guardrail
from experiments.outlooks.history import History, load_history
from experiments.outlooks.outlook import Doubt, Groups, Outlook, look_ahead
from experiments.outlooks.words import explain_protection, outlook_document
from personalization.segments import selectors as segments
from personalization.segments.models import SegmentVersion

WEEKS = range(1, 9)
SAMPLE = 20_000  # enough for an outlook, and quick enough for an editor
CACHE_SECONDS = 600


def look_ahead_of(
    campaign: Campaign, weights: Sequence[tuple[str, float]], *, size: int, now: datetime | None = None
) -> tuple[Criteria, Metric, Outlook | Doubt] | None:
    """For so many customers in the segment; `weights` are the messages' keys and weights, as to be saved.

    None when there is nothing to compare. Raises InvalidPlan, and CountTooSlow for a slow segment.
    """
    now = now or timezone.now()
    criteria = draft_plan(
        campaign, entrants([_Key(key) for key, _ in weights], campaign.control_share), start=now
    )
    if criteria is None or campaign.segment is None:
        return None
    metric = Metric.objects.get(key=criteria.metric)
    days = sorted({criteria.length_days, *(7.0 * week for week in WEEKS)})
    history = _history(metric, campaign.segment.current, days, now)
    if history is None:
        return criteria, metric, Doubt.NO_HISTORY
    groups = _groups(campaign, criteria, weights, size)
    return criteria, metric, look_ahead(history.values, history.days, criteria=criteria, groups=groups)


@dataclass(frozen=True)
class GuardrailAhead:
    """A guardrail of the plan, and whether it can be proven; None: the past says nothing about it."""

    guardrail: Guardrail
    metric: Metric
    protection: Protection | None

    @property
    def is_share(self) -> bool:
        return asks_for_share(self.metric)

    @property
    def sentence(self) -> str:
        if self.protection is None:
            return ""
        name = gettext(self.metric.name)
        return explain_protection(self.guardrail, self.protection, metric=name, is_share=self.is_share)


def asks_for_share(metric: Metric) -> bool:
    return metric.kind in metrics.names() and metrics.get(metric.kind).reduction == "any"


def guardrails_ahead(
    campaign: Campaign,
    criteria: Criteria,
    weights: Sequence[tuple[str, float]],
    *,
    size: int,
    now: datetime | None = None,
) -> list[GuardrailAhead]:
    """Of the plan that `look_ahead_of` answered."""
    if campaign.segment is None:
        return []
    groups, found = _groups(campaign, criteria, weights, size), []
    for guardrail in criteria.guardrails:
        metric = Metric.objects.get(key=guardrail.metric)
        past = _history(metric, campaign.segment.current, [criteria.length_days], now or timezone.now())
        values = None if past is None else past.values[:, 0]
        protection = look_at_guardrail(
            values, guardrail, is_share=asks_for_share(metric), criteria=criteria, groups=groups
        )
        found.append(GuardrailAhead(guardrail, metric, protection))
    return found


def outlook_of(campaign: Campaign, *, told: Callable[[int], int]) -> dict[str, Any] | None:
    """The document for a saved campaign; None when there is nothing to compare or nobody in the segment.
    `told` makes of its size what the caller may know."""
    weights = [(m.key, m.weight) for m in campaign.messages.order_by("position", "pk")]
    size = campaign.segment and segments.size(campaign.segment, now=timezone.now(), seconds=5.0)
    size = size and told(size)
    found = look_ahead_of(campaign, weights, size=size) if size else None
    if found is None:
        return None
    _criteria, metric, outlook = found
    return outlook_document(outlook, metric=gettext(metric.name))


class _Key:
    def __init__(self, key: str) -> None:
        self.key = key


def _history(metric: Metric, version: SegmentVersion, days: list[float], now: datetime) -> History | None:
    asked = "-".join(f"{day:g}" for day in days)
    key = f"campaigns:history:{metric.pk}:{version.pk}:{asked}"
    known: Any = cache.get(key)
    if known is None:
        with segments.time_limit(5.0):
            known = (
                load_history(
                    metric, days=days, customers=segments.members(version, now=now), now=now, limit=SAMPLE
                ),
            )
        cache.set(key, known, CACHE_SECONDS)
    (history,) = known
    return history if history is None or np.size(history.values) else None


def _groups(
    campaign: Campaign, criteria: Criteria, weights: Sequence[tuple[str, float]], size: int
) -> Groups:
    total = sum(weight for _, weight in weights) or 1.0
    shares = {key: (1 - campaign.control_share) * weight / total for key, weight in weights}
    if campaign.control_share > 0:
        shares["control"] = campaign.control_share
    counts = {key: int(size * campaign.test_share * share) for key, share in shares.items()}
    return Groups(
        counts[criteria.baseline], tuple(n for key, n in counts.items() if key != criteria.baseline)
    )
