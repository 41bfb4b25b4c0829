"""What a learned division says of each variant, made of the sums of each day."""

from collections.abc import Sequence

import numpy as np
from django.utils.translation import gettext

from experiments import metrics
from experiments.bandits.beliefs import ALPHA, ArmBelief, believe, posterior, regret_of
from experiments.learning.report import LearnedDay, LearnedMetric, LearnedVariant
from experiments.models import Direction, Metric, MetricScope, Variant
from experiments.off_policy import ArmSums
from experiments.reports.weighted import WeightedMetric
from experiments.sums.metric_sums import MetricSums

# Of longer tests every second, third … day is told; what happened between belongs to the next one.
MOST_DAYS = 30


def learned_metric(
    sums: MetricSums, variants: Sequence[Variant], known: WeightedMetric, *, alike: bool
) -> LearnedMetric | None:
    """`alike`: all customers of a day had the same chances. None where the stored result is older than the
    sums of days."""
    if not known.daily:
        return None
    metric = sums.metric
    shown = _shown_days(known)
    upto = {day: {v.key: _until(known, v.key, day) for v in variants} for day in shown}
    days: dict[str, list[LearnedDay]] = {variant.key: [] for variant in variants}
    before = {variant.key: ArmSums() for variant in variants}
    calendar = sums.assigned.calendar
    for day in shown:
        for one in _variants(metric, variants, upto[day]):
            new, old = one.sums, before[one.variant]
            chance = (new.n - old.n) / (new.w - old.w) if new.n > old.n else None
            at = min(calendar.end_of(day), calendar.as_of)
            days[one.variant].append(LearnedDay(day, at, new.n - old.n, chance, one))
        before = upto[day]
    messages = [variant.key for variant in variants if not variant.is_control]
    now = tuple(before[key] for key in messages)
    regret = regret_of(now, tuple(one.n for one in now), **_asked(metric)) if alike else None
    beliefs = (regret and believe(now, **_asked(metric))) or ()
    drawn = {day: [upto[day][key].n for key in messages] for day in shown}
    return LearnedMetric(
        key=metric.key,
        name=gettext(metric.name),
        direction=metric.direction,
        is_share=_is_share(metric),
        variants=tuple(_variants(metric, variants, before)),
        days={key: tuple(found) for key, found in days.items()},
        regret=regret,
        regret_days=tuple((day, *_cost(drawn[day], beliefs)) for day in shown if beliefs),
    )


def _cost(counts: Sequence[int], losses: Sequence[ArmBelief]) -> tuple[float, float]:
    cost = sum(n * one.loss for n, one in zip(counts, losses, strict=True))
    return cost, sum(counts) * sum(one.loss for one in losses) / len(losses)


def _variants(metric: Metric, variants: Sequence[Variant], sums: dict[str, ArmSums]) -> list[LearnedVariant]:
    messages = [variant for variant in variants if not variant.is_control]
    beliefs = believe(tuple(sums[variant.key] for variant in messages), **_asked(metric))
    of = dict(zip([v.key for v in messages], beliefs, strict=True)) if beliefs else {}
    found = []
    for variant in variants:
        mine, belief = sums[variant.key], of.get(variant.key)
        # Nobody clicks a message that was not sent: then nothing is said of the control.
        is_asked = not (variant.is_control and metric.scope == MetricScope.EXPERIMENT)
        alone = posterior(mine, is_share=_is_share(metric)) if is_asked and mine.n else None
        found.append(
            LearnedVariant(
                variant.key, mine.n, mine.effective, mine.value if is_asked else None,
                None if alone is None else (float(alone.ppf(ALPHA / 2)), float(alone.isf(ALPHA / 2))),
                belief.best if belief else None, belief.loss if belief else None, mine,
            )
        )  # fmt: skip
    return found


def _until(known: WeightedMetric, key: str, day: int) -> ArmSums:
    return ArmSums.total([one for on, one in known.daily.get(key, {}).items() if on <= day])


def _shown_days(known: WeightedMetric) -> list[int]:
    last = max((day for days in known.daily.values() for day in days), default=0)
    count = min(last + 1, MOST_DAYS)
    return sorted({round(day) for day in np.linspace(last, 0, count).tolist()}) if count > 1 else [last]


def _is_share(metric: Metric) -> bool:
    return metrics.get(metric.kind).reduction == "any"


def _asked(metric: Metric) -> dict[str, bool]:
    return {"is_share": _is_share(metric), "more_is_better": metric.direction != Direction.DOWN}
