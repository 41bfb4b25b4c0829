"""What an experiment found: the parts of a report, and the verdict that follows from them.

Analysis is intention-to-treat: a customer counts for the variant that was drawn, whether or not the message
arrived, and a customer without events counts as 0. Only so do the groups differ by chance and treatment
alone.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from experiments.breakdowns.report import BreakdownReport
from experiments.learning.report import LearnedMetric
from experiments.stats import (
    Belief,
    CountCheck,
    DenominatorCheck,
    Effect,
    NonInferiority,
    Novelty,
    Obstacle,
    Proportion,
    SampleRatio,
    SeenTwice,
    Statistic,
)
from experiments.stats.kinds import plain_of

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
    """`statistics` by variant key. `complete_at` is when the last customer's window closes.

    `against_control` are the same variants against those who got nothing, where `baseline` is another: what
    the plan decides and what was earned are then two questions. `weighted_values` by variant key take the
    place of the statistics' values where the chances differed.
    """

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
    against_control: tuple[Comparison, ...] = ()
    weighted_values: dict[str, float] | None = None
    definition: dict[str, Any] = field(default_factory=dict)
    daily: dict[str, tuple[tuple[Statistic, Statistic], ...]] = field(default_factory=dict)

    @property
    def is_share(self) -> bool:
        """Of customers; else an amount for each of them."""
        return any(isinstance(plain_of(statistic), Proportion) for statistic in self.statistics.values())


@dataclass(frozen=True)
class AllocationReport:
    """Where the variants were not shared out in fixed shares: `kind` is "learning" or "personal". `drawn`
    are all messages as they were drawn, against the control; `effective` what each variant's customers
    are worth; `learned` what to believe of each variant by the primary metric, then by the metric that the
    draws went by, where it is another."""

    kind: str
    drawn: Effect | None
    effective: dict[str, float]
    learned: tuple[LearnedMetric, ...] = ()


class Finding(StrEnum):
    """What the report's first sentence says."""

    NOBODY = "nobody"  # no customer was assigned
    MISMATCH = "mismatch"  # the division is broken: no effect is to be trusted
    DENOMINATOR = "denominator"  # the treatment changed what the metric divides by: it must not decide
    NO_COMPARISON = "no_comparison"  # one variant alone, or no metric
    NOT_ENOUGH = "not_enough"  # the effect cannot be computed yet
    WITHHELD = "withheld"  # it speaks of too few customers for this reader
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
    unknown_event: str = ""  # what the primary metric counts, where nobody ever did it
    verdict: Verdict = field(default_factory=lambda: Verdict(Finding.NOBODY))
    breakdown: BreakdownReport | None = None
    allocation: AllocationReport | None = None

    @property
    def primary(self) -> MetricReport | None:
        return next((metric for metric in self.metrics if metric.is_primary), None)

    def variant(self, key: str) -> VariantSummary:
        return next(variant for variant in self.variants if variant.key == key)
