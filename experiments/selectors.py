"""Reads: who is assigned to what, and the report."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext

from experiments.models import Assignment, Experiment, Metric, MetricScope, Variant
from experiments.moments import MetricSums, compute_sums, load_assigned, load_sums
from experiments.report import (
    ALPHA,
    MetricReport,
    Report,
    SeriesPoint,
    VariantSummary,
    compare_all,
    judge,
)
from experiments.stats import compare, sample_ratio


def assignments_of(
    experiment: Experiment, customer_ids: Sequence[int]
) -> dict[int, tuple[int | None, float]]:
    """Variant id and propensity of those customers that are assigned."""
    rows = Assignment.objects.filter(experiment=experiment, customer_id__in=customer_ids)
    return {
        pk: (variant, chance)
        for pk, variant, chance in rows.values_list("customer_id", "variant_id", "propensity")
    }


def report(
    experiment: Experiment, *, metrics: Iterable[Metric] | None = None, now: datetime | None = None
) -> Report:
    """Everything known at `now` (default: this moment) about the given metrics (default: all).

    The verdict is about the first primary metric; without one, about the first metric.
    """
    as_of = now or timezone.now()
    chosen = list(Metric.objects.all() if metrics is None else metrics)
    primary_pk = next((metric.pk for metric in chosen if metric.is_primary), chosen[0].pk if chosen else None)
    variants = list(experiment.variants.order_by("position"))
    assigned = load_assigned(experiment, as_of=as_of)
    counts = {variant.pk: assigned.customers(variant.pk) if assigned else 0 for variant in variants}
    reports: tuple[MetricReport, ...] = ()
    if assigned:
        reports = tuple(
            _metric_report(
                (load_sums if now is None else compute_sums)(experiment, metric, assigned),
                variants,
                is_primary=metric.pk == primary_pk,
            )
            for metric in chosen
        )
    summaries = tuple(VariantSummary(v.key, v.name, v.is_control, v.weight, counts[v.pk]) for v in variants)
    ratio = sample_ratio([counts[v.pk] for v in variants], [v.weight for v in variants])
    primary = next((metric for metric in reports if metric.is_primary), None)
    return Report(
        key=experiment.key,
        name=experiment.name,
        as_of=as_of,
        started_at=experiment.started_at,
        ended_at=experiment.ended_at,
        alpha=ALPHA,
        variants=summaries,
        sample_ratio=ratio,
        metrics=reports,
        verdict=judge(summaries, ratio, primary, as_of=as_of),
    )


def _metric_report(sums: MetricSums, variants: Sequence[Variant], *, is_primary: bool) -> MetricReport:
    metric, calendar = sums.metric, sums.assigned.calendar
    compared = _compared(metric, variants)
    baseline = _baseline(compared)
    statistics = {variant.key: sums.statistic(variant.pk) for variant in compared}
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
        comparisons=compare_all(statistics, baseline.key if baseline else None, simultaneous=is_primary),
        series=tuple(_series(sums, compared, baseline)) if is_primary and baseline else (),
        complete_at=calendar.last_assigned + timedelta(days=metric.window_days),
    )


def _compared(metric: Metric, variants: Sequence[Variant]) -> list[Variant]:
    """Nobody opens a mail that was not sent: such metrics are asked of the mailed variants only."""
    if metric.scope == MetricScope.EXPERIMENT:
        return [variant for variant in variants if not variant.is_control]
    return list(variants)


def _baseline(variants: Sequence[Variant]) -> Variant | None:
    """The control, else the first variant; None when there is nothing to compare it with."""
    if len(variants) < 2:
        return None
    return next((variant for variant in variants if variant.is_control), variants[0])


def _series(sums: MetricSums, compared: Sequence[Variant], baseline: Variant) -> Iterator[SeriesPoint]:
    """The cumulative effect at the end of each day, until the last window closes or `as_of`."""
    calendar = sums.assigned.calendar
    closes = calendar.last_assigned + timedelta(days=sums.metric.window_days)
    # The end of a window belongs to the day before.
    last_day = calendar.day_of(min(calendar.as_of, closes - timedelta(microseconds=1)))
    for day in range(last_day + 1):
        control = sums.statistic(baseline.pk, until_day=day)
        for variant in compared:
            if variant.pk != baseline.pk:
                effect = compare(control, sums.statistic(variant.pk, until_day=day))
                at = min(calendar.end_of(day), calendar.as_of)
                yield SeriesPoint(day=day, at=at, variant=variant.key, effect=effect)
