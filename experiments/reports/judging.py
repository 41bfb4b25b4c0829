"""From the sums of each variant to comparisons and the verdict."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Literal

from experiments.reports.report import (
    ALPHA,
    Comparison,
    Finding,
    MetricReport,
    Total,
    VariantSummary,
    Verdict,
)
from experiments.stats import (
    Adjusted,
    Effect,
    Quantile,
    Ratio,
    SampleRatio,
    Statistic,
    adjust,
    bayesian,
    check_counts,
    check_denominator,
    compare,
    non_inferiority,
    obstacle,
)
from experiments.stats.kinds import plain_of


def compare_all(
    statistics: dict[str, Statistic],
    baseline: str | None,
    *,
    alpha: float = ALPHA,
    simultaneous: bool = False,
    direction: str = "up",
    margin: float | None = None,
) -> tuple[Comparison, ...]:
    """Every other variant against the baseline; `simultaneous` adds what holds for all of them together.

    Interval and p-value are both Bonferroni's, so that they decide alike for every variant. Holm's p-values
    would find a little more, but no simple interval goes with them.
    """
    if baseline is None:
        return ()
    others = [key for key in statistics if key != baseline]
    found = [_compare(statistics, key, baseline, alpha, direction, margin) for key in others]
    tested = [index for index, comparison in enumerate(found) if comparison.effect]
    if not simultaneous:
        return tuple(found)
    adjusted = adjust([found[index].effect.p_value for index in tested], "bonferroni")  # type: ignore[union-attr]
    for index, p_value in zip(tested, adjusted, strict=True):
        wide = compare(statistics[baseline], statistics[others[index]], alpha=alpha / len(tested))
        found[index] = replace(found[index], adjusted_p_value=p_value, simultaneous=wide)
    return tuple(found)


def _compare(
    statistics: dict[str, Statistic],
    key: str,
    baseline: str,
    alpha: float,
    direction: str,
    margin: float | None,
) -> Comparison:
    control, treatment = statistics[baseline], statistics[key]
    effect = compare(control, treatment, alpha=alpha)
    good: Literal["up", "down"] = "down" if direction == "down" else "up"
    unadjusted = None
    if isinstance(control, Adjusted) and isinstance(treatment, Adjusted):
        unadjusted = compare(control.post, treatment.post, alpha=alpha)
    # A sum over customers needs a number per customer, which a ratio or a quantile is not.
    plain = plain_of(control)
    adds_up = effect is not None and not isinstance(plain, Ratio | Quantile)
    return Comparison(
        variant=key,
        baseline=baseline,
        effect=effect,
        obstacle=obstacle(control, treatment),
        incremental=total_of(effect, customers=treatment.n) if effect and adds_up else None,
        always_valid=compare(control, treatment, alpha=alpha, method="always_valid") if effect else None,
        unadjusted=unadjusted,
        belief=None if isinstance(control, Quantile) else bayesian(control, treatment, direction=good),
        guardrail=None
        if margin is None
        else non_inferiority(control, treatment, margin=margin, direction=good, alpha=alpha),
        denominator=check_denominator(plain, plain_of(treatment), alpha=alpha)
        if isinstance(plain, Ratio)
        else None,
        counts=None if isinstance(control, Quantile) else check_counts(control, treatment),
    )


def with_family(metrics: Sequence[MetricReport]) -> tuple[MetricReport, ...]:
    """The metrics with Holm's p-values over all their comparisons; guardrails answer another question."""
    asked = [
        (at, place, comparison.effect.p_value)
        for at, metric in enumerate(metrics)
        if metric.role != "guardrail"
        for place, comparison in enumerate(metric.comparisons)
        if comparison.effect
    ]
    found = [list(metric.comparisons) for metric in metrics]
    for (at, place, _), p_value in zip(asked, adjust([p for *_, p in asked], "holm"), strict=True):
        found[at][place] = replace(found[at][place], family_p_value=p_value)
    return tuple(
        replace(metric, comparisons=tuple(comparisons))
        for metric, comparisons in zip(metrics, found, strict=True)
    )


def total_of(effect: Effect, *, customers: int) -> Total:
    low, high = (None if bound is None else bound * customers for bound in effect.absolute_ci)
    return Total(value=effect.absolute * customers, ci=(low, high))


def judge(
    variants: Sequence[VariantSummary],
    ratio: SampleRatio | None,
    primary: MetricReport | None,
    *,
    as_of: datetime,
    alpha: float = ALPHA,
) -> Verdict:
    """The verdict on the primary metric: about the comparison with the smallest p-value."""
    if not sum(variant.customers for variant in variants):
        return Verdict(Finding.NOBODY)
    if ratio and ratio.mismatch:
        return Verdict(Finding.MISMATCH, p_value=ratio.p_value)
    if primary is None or not primary.comparisons:
        return Verdict(Finding.NO_COMPARISON)
    tested = [comparison for comparison in primary.comparisons if comparison.simultaneous]
    if not tested:
        return Verdict(Finding.NOT_ENOUGH, metric=primary.key)
    moved = next((c for c in primary.comparisons if c.denominator and c.denominator.moved), None)
    if moved is not None:
        return Verdict(
            Finding.DENOMINATOR, metric=primary.key, variant=moved.variant, baseline=moved.baseline
        )
    chosen = min(tested, key=lambda comparison: comparison.effect.p_value if comparison.effect else 1.0)
    effect, p_value = chosen.simultaneous, chosen.adjusted_p_value
    assert effect is not None and p_value is not None
    finding = Finding.UNCLEAR
    if p_value < alpha:
        finding = Finding.UP if effect.absolute > 0 else Finding.DOWN
    return Verdict(
        finding,
        metric=primary.key,
        variant=chosen.variant,
        baseline=chosen.baseline,
        effect=effect,
        p_value=p_value,
        incremental=total_of(effect, customers=_customers(variants, chosen.variant))
        if chosen.incremental
        else None,
        is_good=None if finding is Finding.UNCLEAR else finding.value == primary.direction,
        is_preliminary=primary.complete_at is not None and as_of < primary.complete_at,
        compared=len(tested),
    )


def _customers(variants: Sequence[VariantSummary], key: str) -> int:
    return next(variant.customers for variant in variants if variant.key == key)
