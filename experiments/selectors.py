"""Reads: who is assigned to what, and the report."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from experiments.breakdowns.breakdown import Breakdown
from experiments.breakdowns.report import BreakdownReport, compare_groups
from experiments.errors import WrongState
from experiments.models import Allocation, Assignment, Experiment, Metric, MetricScope, Origin, Variant
from experiments.plans.plan import current_plan
from experiments.reports.findings import Findings, metrics_of, newest_findings, read_findings
from experiments.reports.judging import judge, with_family
from experiments.reports.learned import learned_metric
from experiments.reports.metric_report import baseline_of, compared_variants, metric_report
from experiments.reports.report import ALPHA, AllocationReport, MetricReport, Report, VariantSummary
from experiments.reports.weighted import check_division, drawn_effect, weighted_report
from experiments.stats import SampleRatio, check_seen_twice, sample_ratio, sample_ratio_by_stage
from personalization.importing.passing import these

Stages = Mapping[str, Mapping[str, int]]  # customers by stage (sent, delivered) and variant key


def assignments_of(
    experiment: Experiment, customer_ids: Sequence[int]
) -> dict[int, tuple[int | None, float]]:
    """Variant id and propensity of those customers that are assigned."""
    rows = Assignment.objects.filter(experiment=experiment, customer_id__in=these(customer_ids))
    return {
        pk: (variant, chance)
        for pk, variant, chance in rows.values_list("customer_id", "variant_id", "propensity")
    }


def report(
    experiment: Experiment,
    *,
    metrics: Iterable[Metric] | None = None,
    now: datetime | None = None,
    stages: Stages | None = None,
    learned_from: str | None = None,
) -> Report:
    """Everything known at `now` (default: this moment) about the given metrics (default: all), read from the
    events at once: for workers and commands. Who answers a request takes `newest_report`.
    """
    chosen = metrics_of(experiment) if metrics is None else list(metrics)
    found = read_findings(experiment, chosen, now=now or timezone.now(), stores=now is None)
    return report_of(experiment, found, stages=stages, learned_from=learned_from)


def newest_report(
    experiment: Experiment,
    *,
    stages: Stages | None = None,
    learned_from: str | None = None,
    primary_only: bool = False,
) -> Report | None:
    """From the newest stored result; None before the first."""
    found = newest_findings(experiment)
    if found is None:
        return None
    if primary_only:
        plan = current_plan(experiment)
        key = _primary(found, plan.terms.get("metric") if plan else None)
        kept = tuple(sums for sums in found.metrics if sums.metric.key == key)
        weighted = found.weighted and found.weighted.without_days()
        found = replace(found, metrics=kept, breakdown=None, weighted=weighted)
    return report_of(experiment, found, stages=stages, learned_from=learned_from)


def report_of(
    experiment: Experiment,
    findings: Findings,
    *,
    stages: Stages | None = None,
    learned_from: str | None = None,
) -> Report:
    """The verdict is about the plan's metric and baseline; without a plan about the first primary metric
    (else the first metric) and the control.

    `stages` are customers by variant key that came so far (sent, delivered), where the caller knows; the
    control is not asked. `learned_from` is the key of the metric that a learned division goes by, where the
    caller knows.
    """
    variants = list(experiment.variants.order_by("position"))
    assigned = findings.assigned
    counts = [assigned.customers(variant.pk) if assigned else 0 for variant in variants]
    plan = current_plan(experiment)
    terms = plan.terms if plan else {}
    primary_key = _primary(findings, terms.get("metric"))
    metrics = _metrics(findings, variants, primary_key, terms.get("baseline"))
    primary = next((metric for metric in metrics if metric.is_primary), None)
    summaries = _summaries(variants, counts)
    reached = _reached(variants, stages or {})
    ratio, weights = _division(findings, variants, counts)
    return Report(
        key=experiment.key,
        name=experiment.name,
        as_of=findings.as_of,
        started_at=experiment.started_at,
        ended_at=experiment.ended_at,
        alpha=ALPHA,
        variants=summaries,
        sample_ratio=ratio,
        metrics=metrics,
        stages=sample_ratio_by_stage(reached, weights),
        stage_counts=reached,
        seen_twice=check_seen_twice(findings.seen_twice, sum(counts)),
        seen_twice_customers=findings.seen_twice,
        last_event_at=findings.last_event_at,
        unknown_event=_unknown_event(findings, primary_key),
        verdict=judge(summaries, ratio, primary, as_of=findings.as_of),
        allocation=_allocation(experiment, findings, variants, (primary_key, learned_from)),
        breakdown=_breakdown(findings, findings.breakdown, variants, terms.get("baseline")),
    )


def _summaries(variants: Sequence[Variant], counts: Sequence[int]) -> tuple[VariantSummary, ...]:
    return tuple(
        VariantSummary(v.key, v.name, v.is_control, v.weight, n)
        for v, n in zip(variants, counts, strict=True)
    )


def _reached(variants: Sequence[Variant], stages: Stages) -> dict[str, list[int | None]]:
    """By stage, in the order of the variants; None for the control, which gets nothing."""
    return {
        name: [None if v.is_control else known.get(v.key, 0) for v in variants]
        for name, known in stages.items()
    }


def _unknown_event(findings: Findings, primary_key: str | None) -> str:
    # Opens and clicks come of our own messages: only what the shop sends can be missing.
    asked = (one.metric for one in findings.metrics if one.metric.key == primary_key)
    primary = next((metric for metric in asked if metric.scope != MetricScope.EXPERIMENT), None)
    return primary.event if primary and primary.event in findings.unknown_events else ""


def _metrics(
    findings: Findings, variants: Sequence[Variant], primary_key: str | None, baseline_key: str | None
) -> tuple[MetricReport, ...]:
    weighted = findings.weighted
    found = [
        weighted_report(sums, variants, weighted, is_primary=sums.metric.key == primary_key)
        if weighted
        else metric_report(
            sums, variants, is_primary=sums.metric.key == primary_key, baseline_key=baseline_key
        )
        for sums in findings.metrics
    ]
    return with_family(found) if found else ()


def _division(
    findings: Findings, variants: Sequence[Variant], counts: Sequence[int]
) -> tuple[SampleRatio | None, list[float]]:
    """Whether the customers are divided as planned, and by which weights they are lost alike."""
    if findings.weighted:
        # Who was assigned is no even share: what reached them must be lost alike.
        return check_division(findings.weighted, variants), [float(n) for n in counts]
    weights = [v.weight for v in variants]
    return sample_ratio(counts, weights), weights


def _primary(findings: Findings, planned: str | None) -> str | None:
    metrics = [sums.metric for sums in findings.metrics]
    if any(metric.key == planned for metric in metrics):
        return planned
    found = next((metric for metric in metrics if metric.is_primary), metrics[0] if metrics else None)
    return found.key if found else None


def _allocation(
    experiment: Experiment, findings: Findings, variants: Sequence[Variant], keys: Sequence[str | None]
) -> AllocationReport | None:
    """`keys` of the primary metric and of the one that was learned from."""
    weighted = findings.weighted
    if weighted is None:
        return None
    sums = {one.metric.key: one for one in findings.metrics}
    primary = sums.get(keys[0] or "")
    drawn = drawn_effect(primary, variants) if primary else None
    effective = {key: arm.effective for key, arm in weighted.division.items()}
    alike = experiment.allocation == Allocation.LEARNING
    learned = [
        learned_metric(sums[key], variants, weighted.metrics[key], alike=alike)
        for key in dict.fromkeys(keys)
        if key in sums and key in weighted.metrics
    ]
    return AllocationReport(experiment.allocation, drawn, effective, tuple(filter(None, learned)))


def _breakdown(
    findings: Findings, known: Breakdown | None, variants: Sequence[Variant], planned: str | None
) -> BreakdownReport | None:
    if known is None or findings.assigned is None:
        return None
    metric = next(sums.metric for sums in findings.metrics if sums.metric.key == known.metric)
    compared = compared_variants(metric, variants)
    baseline = baseline_of(compared, planned)
    if baseline is None:
        return None
    chosen_at = parse_datetime(known.chosen_at) if known.chosen_at else None
    return compare_groups(
        known.cuts,
        metric=known.metric,
        baseline=baseline.key,
        variants=[variant.key for variant in compared if variant != baseline],
        method=known.method,
        least=known.least,
        is_planned=chosen_at is not None and chosen_at <= findings.assigned.calendar.start,
        alpha=ALPHA,
    )


def own_experiment(key: str) -> Experiment:
    """Of those that no campaign steers. Raises Http404, and WrongState for a campaign's."""
    experiment = get_object_or_404(Experiment, key=key)
    if experiment.origin != Origin.API:
        raise WrongState("A campaign steers this experiment.")
    return experiment
