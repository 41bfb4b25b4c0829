"""One metric of a report: its groups, its comparisons, and how they grew day by day."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from django.utils.translation import gettext

from experiments.models import Metric, MetricScope, Variant
from experiments.reports.judging import compare_all
from experiments.reports.report import ALPHA, Comparison, MetricReport, SeriesPoint
from experiments.stats import Statistic, compare, novelty
from experiments.sums.metric_sums import MetricSums
from experiments.sums.questions import Question

Days = dict[str, tuple[tuple[Statistic, Statistic], ...]]


def metric_report(
    sums: MetricSums, variants: Sequence[Variant], *, is_primary: bool, baseline_key: str | None = None
) -> MetricReport:
    """`baseline_key` is the plan's baseline; without one, or where it was sent nothing, the control's or
    first's.
    """
    metric, calendar = sums.metric, sums.assigned.calendar
    compared = compared_variants(metric, variants)
    baseline = baseline_of(compared, baseline_key)
    statistics = {variant.key: sums.statistic(variant.pk) for variant in compared}
    margin = metric.margin if metric.role == "guardrail" else None
    grows = is_primary and metric.quantile is None
    daily = _daily(sums, compared, baseline) if grows and baseline else {}
    comparisons = compare_all(
        statistics,
        baseline.key if baseline else None,
        simultaneous=is_primary,
        direction=metric.direction,
        margin=margin,
    )
    return MetricReport(
        key=metric.key,
        # Names of default metrics are stored in English and known to the catalog; others stay as they are.
        name=gettext(metric.name),
        kind=metric.kind,
        event=metric.event,
        direction=metric.direction,
        scope=metric.scope,
        window_days=metric.window_days,
        is_primary=is_primary,
        statistics=statistics,
        baseline=baseline.key if baseline else None,
        comparisons=tuple(_with_novelty(comparison, daily) for comparison in comparisons),
        series=tuple(_series(sums, compared, baseline)) if grows and baseline else (),
        against_control=_against_control(metric, statistics, compared, baseline) if is_primary else (),
        complete_at=calendar.last_assigned + timedelta(days=metric.window_days),
        role=metric.role,
        margin=margin,
        definition=Question(sums.assigned.experiment, metric, calendar).definition()
        | {"quantile": metric.quantile},
        daily=daily,
    )


def _with_novelty(comparison: Comparison, daily: Days) -> Comparison:
    days = daily.get(comparison.variant)
    return replace(comparison, novelty=novelty(days)) if days else comparison


def _against_control(
    metric: Metric, statistics: dict[str, Statistic], compared: Sequence[Variant], baseline: Variant | None
) -> tuple[Comparison, ...]:
    control = next((variant for variant in compared if variant.is_control), None)
    if control is None or control == baseline:
        return ()
    return compare_all(statistics, control.key, simultaneous=True, direction=metric.direction)


def compared_variants(metric: Metric, variants: Sequence[Variant]) -> list[Variant]:
    """Nobody opens a mail that was not sent: such metrics are asked of the mailed variants only."""
    if metric.scope == MetricScope.EXPERIMENT:
        return [variant for variant in variants if not variant.is_control]
    return list(variants)


def baseline_of(variants: Sequence[Variant], wanted: str | None = None) -> Variant | None:
    """The wanted one, else the control, else the first; None when there is nothing to compare it with."""
    if len(variants) < 2:
        return None
    chosen = next((variant for variant in variants if variant.key == wanted), None)
    return chosen or next((variant for variant in variants if variant.is_control), variants[0])


def _last_day(sums: MetricSums) -> int:
    calendar = sums.assigned.calendar
    closes = calendar.last_assigned + timedelta(days=sums.metric.window_days)
    # The end of a window belongs to the day before.
    return calendar.day_of(min(calendar.as_of, closes - timedelta(microseconds=1)))


def _daily(sums: MetricSums, compared: Sequence[Variant], baseline: Variant) -> Days:
    """For each variant the days, each alone, beside the baseline's."""
    days = range(_last_day(sums) + 1)
    return {
        variant.key: tuple((sums.of_day(baseline.pk, day), sums.of_day(variant.pk, day)) for day in days)
        for variant in compared
        if variant.pk != baseline.pk
    }


def _series(sums: MetricSums, compared: Sequence[Variant], baseline: Variant) -> Iterator[SeriesPoint]:
    """The cumulative effect at the end of each day, until the last window closes or `as_of`."""
    calendar = sums.assigned.calendar
    for day in range(_last_day(sums) + 1):
        control = sums.statistic(baseline.pk, until_day=day)
        for variant in compared:
            if variant.pk == baseline.pk:
                continue
            treated = sums.statistic(variant.pk, until_day=day)
            yield SeriesPoint(
                day=day,
                at=min(calendar.end_of(day), calendar.as_of),
                variant=variant.key,
                effect=compare(control, treated, alpha=ALPHA),
                always_valid=compare(control, treated, alpha=ALPHA, method="always_valid"),
                statistics=(control, treated),
            )
