"""What an experiment found: the parts of a report, and the verdict that follows from them.

Analysis is intention-to-treat: a customer counts for the variant that was drawn, whether or not the message
arrived, and a customer without events counts as 0. Only so do the groups differ by chance and treatment
alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from experiments.stats import (
    Adjusted,
    Belief,
    CountCheck,
    DenominatorCheck,
    Effect,
    NonInferiority,
    Novelty,
    Obstacle,
    Quantile,
    Ratio,
    SampleRatio,
    SeenTwice,
    Statistic,
    adjust,
    bayesian,
    check_counts,
    check_denominator,
    compare,
    non_inferiority,
    obstacle,
)

ALPHA = 0.05


@dataclass(frozen=True)
class VariantSummary:
    """`customers` is everyone assigned, `weight` the planned share."""

    key: str
    name: str
    is_control: bool
    weight: float
    customers: int


@dataclass(frozen=True)
class Total:
    """An effect summed over the treated customers, with its interval; a bound is None where there is none."""

    value: float
    ci: tuple[float | None, float | None]


@dataclass(frozen=True)
class Comparison:
    """One variant against the baseline. `effect` is None for the reason in `obstacle`.

    `adjusted_p_value` and `simultaneous` (an effect with a wider interval) hold for all variants of a primary
    metric together; None for other metrics. `incremental` is the effect times the customers treated.
    `always_valid` may be looked at every day. `unadjusted` is the effect without the covariate, where one is
    used. `family_p_value` is Holm's over all variants and metrics that are no guardrails.
    """

    variant: str
    baseline: str
    effect: Effect | None
    obstacle: Obstacle | None
    incremental: Total | None
    adjusted_p_value: float | None = None
    simultaneous: Effect | None = None
    always_valid: Effect | None = None
    unadjusted: Effect | None = None
    belief: Belief | None = None
    guardrail: NonInferiority | None = None
    denominator: DenominatorCheck | None = None
    counts: CountCheck | None = None
    novelty: Novelty | None = None
    family_p_value: float | None = None

    @property
    def decisive(self) -> Effect | None:
        """The effect to show: its interval and `decisive_p_value` never contradict each other."""
        return self.simultaneous or self.effect

    @property
    def decisive_p_value(self) -> float | None:
        if self.adjusted_p_value is not None:
            return self.adjusted_p_value
        return self.effect.p_value if self.effect else None


@dataclass(frozen=True)
class SeriesPoint:
    """What was known `day` days after the first assignment: everything up to the end of that day."""

    day: int
    at: datetime
    variant: str
    effect: Effect | None
    always_valid: Effect | None = None
    statistics: tuple[Statistic, Statistic] | None = None


@dataclass(frozen=True)
class MetricReport:
    """`statistics` by variant key. `complete_at` is when the last customer's window closes."""

    key: str
    name: str
    kind: str
    event: str
    direction: str
    scope: str
    window_days: int
    is_primary: bool
    statistics: dict[str, Statistic]
    baseline: str | None
    comparisons: tuple[Comparison, ...]
    series: tuple[SeriesPoint, ...] = ()
    complete_at: datetime | None = None
    role: str = "secondary"
    margin: float | None = None
    definition: dict[str, Any] = field(default_factory=dict)
    daily: dict[str, tuple[tuple[Statistic, Statistic], ...]] = field(default_factory=dict)


class Finding(StrEnum):
    """What the report's first sentence says."""

    NOBODY = "nobody"  # no customer was assigned
    MISMATCH = "mismatch"  # the division is broken: no effect is to be trusted
    DENOMINATOR = "denominator"  # the treatment changed what the metric divides by: it must not decide
    NO_COMPARISON = "no_comparison"  # one variant alone, or no metric
    NOT_ENOUGH = "not_enough"  # the effect cannot be computed yet
    UP = "up"  # the variant raised the metric
    DOWN = "down"  # the variant lowered the metric
    UNCLEAR = "unclear"  # the interval holds 0: cannot tell


@dataclass(frozen=True)
class Verdict:
    """The facts of the first sentence.

    `is_good` compares the change with the metric's direction; None without a change. `effect` already bears
    the wider interval when several variants were compared.
    """

    finding: Finding
    metric: str | None = None
    variant: str | None = None
    baseline: str | None = None
    effect: Effect | None = None
    p_value: float | None = None
    incremental: Total | None = None
    is_good: bool | None = None
    is_preliminary: bool = False
    compared: int = 0


@dataclass(frozen=True)
class Report:
    key: str
    name: str
    as_of: datetime
    started_at: datetime | None
    ended_at: datetime | None
    alpha: float
    variants: tuple[VariantSummary, ...]
    sample_ratio: SampleRatio | None
    metrics: tuple[MetricReport, ...]
    stages: dict[str, SampleRatio | None] = field(default_factory=dict)
    stage_counts: dict[str, list[int | None]] = field(default_factory=dict)
    seen_twice: SeenTwice | None = None
    seen_twice_customers: int = 0
    last_event_at: datetime | None = None
    verdict: Verdict = field(default_factory=lambda: Verdict(Finding.NOBODY))

    @property
    def primary(self) -> MetricReport | None:
        return next((metric for metric in self.metrics if metric.is_primary), None)

    def variant(self, key: str) -> VariantSummary:
        return next(variant for variant in self.variants if variant.key == key)


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
    adds_up = effect is not None and not isinstance(control, Ratio | Quantile)
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
        denominator=check_denominator(control, treatment, alpha=alpha)
        if isinstance(control, Ratio)
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
