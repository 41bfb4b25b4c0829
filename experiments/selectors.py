"""Reads: who is assigned to what, and the report."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from django.db import connection
from django.utils import timezone

from experiments.metric_report import metric_report
from experiments.models import Assignment, Experiment, Metric, Variant
from experiments.moments import compute_sums, load_assigned, load_sums
from experiments.report import ALPHA, MetricReport, Report, VariantSummary, judge, with_family
from experiments.stats import check_seen_twice, sample_ratio, sample_ratio_by_stage
from personalization.events.models import Event


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
    experiment: Experiment,
    *,
    metrics: Iterable[Metric] | None = None,
    now: datetime | None = None,
    stages: Mapping[str, Mapping[str, int]] | None = None,
) -> Report:
    """Everything known at `now` (default: this moment) about the given metrics (default: all).

    The verdict is about the first primary metric; without one, about the first metric. `stages` are customers
    by variant key that came so far (sent, delivered), where the caller knows; the control is not asked.
    """
    as_of = now or timezone.now()
    chosen = list(Metric.objects.all() if metrics is None else metrics)
    primary_pk = next((metric.pk for metric in chosen if metric.is_primary), chosen[0].pk if chosen else None)
    variants = list(experiment.variants.order_by("position"))
    assigned = load_assigned(experiment, as_of=as_of)
    counts = {variant.pk: assigned.customers(variant.pk) if assigned else 0 for variant in variants}
    load = load_sums if now is None else compute_sums
    reports: tuple[MetricReport, ...] = ()
    if assigned:
        found = [
            metric_report(sums, variants, is_primary=sums.metric.pk == primary_pk)
            for sums in load(experiment, chosen, assigned)
        ]
        reports = with_family(found)
    summaries = tuple(VariantSummary(v.key, v.name, v.is_control, v.weight, counts[v.pk]) for v in variants)
    weights = [v.weight for v in variants]
    reached: dict[str, list[int | None]] = {
        name: [None if v.is_control else known.get(v.key, 0) for v in variants]
        for name, known in (stages or {}).items()
    }
    ratio = sample_ratio([counts[v.pk] for v in variants], weights)
    primary = next((metric for metric in reports if metric.is_primary), None)
    seen = count_seen_twice(experiment, as_of=as_of) if assigned else 0
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
        stages=sample_ratio_by_stage(reached, weights),
        stage_counts=reached,
        seen_twice=check_seen_twice(seen, sum(counts.values())),
        seen_twice_customers=seen,
        last_event_at=_last_event(chosen, as_of) if assigned else None,
        verdict=judge(summaries, ratio, primary, as_of=as_of),
    )


def _last_event(metrics: Sequence[Metric], as_of: datetime) -> datetime | None:
    """When the newest of the events that the metrics count happened; each name costs one index entry."""
    newest = (
        Event.objects.filter(name=name, occurred_at__lte=as_of)
        .order_by("-occurred_at")
        .values_list("occurred_at", flat=True)
        .first()
        for name in {metric.event for metric in metrics}
    )
    return max((at for at in newest if at is not None), default=None)


def count_seen_twice(experiment: Experiment, *, as_of: datetime) -> int:
    """Assigned customers to whom a client showed another variant than theirs."""
    with connection.cursor() as cursor:
        cursor.execute(_SEEN_TWICE, {"pk": experiment.pk, "key": experiment.key, "as_of": as_of})
        return int(cursor.fetchone()[0])


_SEEN_TWICE = f"""
    SELECT count(DISTINCT a.customer_id) FROM {Event._meta.db_table} e
    JOIN {Assignment._meta.db_table} a ON a.customer_id = e.customer_id AND a.experiment_id = %(pk)s
    JOIN {Variant._meta.db_table} v ON v.id = a.variant_id
    WHERE e.name = 'Experiment Viewed' AND e.occurred_at <= %(as_of)s
      AND %(key)s IN (e.properties ->> 'experimentId', e.properties ->> 'experiment_id')
      AND coalesce(e.properties ->> 'variationId', e.properties ->> 'variation_id')
          NOT IN (v.key, v.position::text)
"""  # noqa: S608
