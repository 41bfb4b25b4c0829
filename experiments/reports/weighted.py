"""Experiments whose chances were learned: their groups are no equals, so every number is weighted by the
chances.

Read by the analysis, kept as a few numbers for each metric and variant, told by the report.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
from django.utils.translation import gettext as _
from scipy.special import ndtr

from experiments.models import Experiment, Metric, Variant
from experiments.off_policy import ArmSums, ArmValue, Log, arm_value, contrast_arms
from experiments.reports.judging import total_of
from experiments.reports.metric_report import baseline_of, compared_variants, metric_report
from experiments.reports.report import ALPHA, Comparison, MetricReport
from experiments.stats import (
    Contrast,
    Effect,
    Obstacle,
    SampleRatio,
    Statistic,
    adjust,
    as_json,
    compare,
    compare_contrast,
    from_json,
)
from experiments.sums.metric_sums import MetricSums
from experiments.sums.outcome_growth import load_growth
from experiments.sums.outcomes import is_one_number

# As for a fixed division: so unlikely that it must be looked into.
MISMATCH = 0.001


@dataclass(frozen=True)
class WeightedMetric:
    """`contrasts`: of each variant against `baseline`; left out where nothing can be said. `daily`: how the
    sums of each variant grew, by day."""

    baseline: str
    arms: dict[str, ArmValue]
    contrasts: dict[str, Contrast]
    daily: dict[str, dict[int, ArmSums]]


@dataclass(frozen=True)
class Weighted:
    """`division`: of each variant customers, Σ 1/p over all of them, and its deviation."""

    division: dict[str, ArmValue]
    metrics: dict[str, WeightedMetric]

    def without_days(self) -> "Weighted":
        return replace(self, metrics={key: replace(one, daily={}) for key, one in self.metrics.items()})

    def as_document(self) -> dict[str, Any]:
        return {
            "division": {key: vars(arm) for key, arm in self.division.items()},
            "metrics": {
                key: {
                    "baseline": one.baseline,
                    "arms": {variant: vars(arm) for variant, arm in one.arms.items()},
                    "contrasts": {variant: as_json(found) for variant, found in one.contrasts.items()},
                    "daily": {
                        variant: {day: astuple(sums) for day, sums in days.items()}
                        for variant, days in one.daily.items()
                    },
                }
                for key, one in self.metrics.items()
            },
        }

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> "Weighted":
        return cls(
            {key: ArmValue(**arm) for key, arm in document["division"].items()},
            {
                key: WeightedMetric(
                    one["baseline"],
                    {variant: ArmValue(**arm) for variant, arm in one["arms"].items()},
                    {variant: from_json(found) for variant, found in one["contrasts"].items()},
                    {
                        variant: {int(day): ArmSums(*sums) for day, sums in days.items()}
                        for variant, days in one.get("daily", {}).items()
                    },
                )
                for key, one in document["metrics"].items()
            },
        )


def read_weighted(experiment: Experiment, metrics: Sequence[Metric], *, now: datetime) -> Weighted | None:
    """One number per customer for each metric that has one; arrays of all assigned, in a worker."""
    variants = list(experiment.variants.order_by("position"))
    division: dict[str, ArmValue] = {}
    found: dict[str, WeightedMetric] = {}
    for metric in metrics:
        if not is_one_number(metric):
            continue
        growth = load_growth(experiment, metric, as_of=now)
        if growth is None or len(growth.values) < 2:
            return None
        places = {variant.pk: place for place, variant in enumerate(variants)}
        actions = np.array([places[pk] for pk in growth.variant_ids.tolist()], dtype=np.intp)
        log = Log(actions, growth.propensities, growth.values)
        arms = {v.key: arm for v in variants if (arm := arm_value(log, places[v.pk])) is not None}
        division = division or arms
        compared = compared_variants(metric, variants)
        baseline = baseline_of(compared)
        if baseline is None:
            continue
        contrasts = {}
        for variant in compared:
            one = contrast_arms(log, places[variant.pk], base=places[baseline.pk])
            if variant != baseline and one is not None:
                contrasts[variant.key] = one
        daily = {variant.key: growth.arm_sums(variant.pk) for variant in variants}
        found[metric.key] = WeightedMetric(baseline.key, arms, contrasts, daily)
    return Weighted(division, found)


def weighted_report(
    sums: MetricSums, variants: Sequence[Variant], known: Weighted, *, is_primary: bool
) -> MetricReport:
    """As `metric_report`, with effects and values weighted; no daily lines and no beliefs, which are not."""
    plain = metric_report(sums, variants, is_primary=False)
    one = known.metrics.get(sums.metric.key)
    keys = [key for key in plain.statistics if key != plain.baseline]
    if one is None or plain.baseline is None:
        comparisons = tuple(
            Comparison(key, plain.baseline or "", None, Obstacle.NOT_WEIGHTED, None) for key in keys
        )
        return replace(plain, is_primary=is_primary, comparisons=comparisons if plain.baseline else ())
    found = [_comparison(one, key, plain.statistics[key]) for key in keys]
    if is_primary:
        found = _simultaneous(one, found)
    values = {key: arm.value for key, arm in one.arms.items() if arm.is_enough}
    return replace(plain, is_primary=is_primary, comparisons=tuple(found), weighted_values=values)


def drawn_effect(sums: MetricSums, variants: Sequence[Variant]) -> Effect | None:
    """All messages as they were drawn against the control, whose share never changes: a plain comparison."""
    control = next((variant for variant in variants if variant.is_control), None)
    if control is None or sums.metric.quantile is not None or sums.metric.scope != "customer":
        return None
    n, total = 0, None
    for variant in variants:
        if variant != control:
            n += sums.assigned.customers(variant.pk)
            part = sums.sums(variant.pk)
            total = part if total is None else total + part
    if total is None:
        return None
    return compare(sums.statistic(control.pk), sums.statistic_of(n, total), alpha=ALPHA)


def check_division(known: Weighted, variants: Sequence[Variant]) -> SampleRatio | None:
    """Whether each variant has as many customers as the chances say, by the sum of 1/p; corrected for their
    number (Bonferroni)."""
    arms = [known.division.get(variant.key) for variant in variants]
    whole = [arm for arm in arms if arm is not None and arm.whole_error > 0]
    if not whole:
        return None
    scores = [(arm.whole - 1) / arm.whole_error for arm in whole]
    largest = max(abs(score) for score in scores)
    p_value = min(1.0, len(scores) * 2 * float(ndtr(-largest)))
    return SampleRatio(
        tuple(arm.n if arm else 0 for arm in arms),
        tuple(arm.n / arm.whole if arm and arm.whole else 0.0 for arm in arms),
        largest**2,
        p_value,
        p_value < MISMATCH,
    )


def allocation_sentences(kind: str, weakest: float | None) -> list[str]:
    """`weakest`: what the customers of the variant that was drawn the least are worth."""
    said = {
        "learning": _(
            "The shares followed what earlier customers did, so the groups are no equals: every effect is "
            "weighted by the chance with which each customer was drawn."
        ),
        "personal": _(
            "Each customer had chances of their own, so the groups are no equals: every effect is weighted "
            "by the chance with which each customer was drawn."
        ),
    }
    sentences = [said[kind]]
    sentences.append(
        _(
            "Chances that follow outcomes make intervals only roughly right; a fixed division says more "
            "about small differences."
        )
    )
    if weakest is not None:
        sentences.append(
            _("The variant that was drawn the least is worth %(n)s customers.") % {"n": f"{weakest:,.0f}"}
        )
    return sentences


def _comparison(one: WeightedMetric, key: str, statistic: Statistic) -> Comparison:
    arms = (one.arms.get(key), one.arms.get(one.baseline))
    if any(arm is None or not arm.is_enough for arm in arms):
        return Comparison(key, one.baseline, None, Obstacle.TOO_FEW_EFFECTIVE, None)
    found = one.contrasts.get(key)
    if found is None:
        return Comparison(key, one.baseline, None, Obstacle.NO_VARIATION, None)
    effect = compare_contrast(found, alpha=ALPHA, name="snipw")
    return Comparison(key, one.baseline, effect, None, total_of(effect, customers=statistic.n))


def _simultaneous(one: WeightedMetric, found: Sequence[Comparison]) -> list[Comparison]:
    tested = [comparison for comparison in found if comparison.effect]
    p_values = iter(adjust([c.effect.p_value for c in tested if c.effect], "bonferroni"))
    return [
        replace(
            comparison,
            adjusted_p_value=next(p_values),
            simultaneous=compare_contrast(
                one.contrasts[comparison.variant], alpha=ALPHA / len(tested), name="snipw"
            ),
        )
        if comparison.effect
        else comparison
        for comparison in found
    ]
