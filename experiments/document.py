"""The report as JSON: every number beside the sums it was computed from, so that anybody can recompute it."""

from dataclasses import asdict
from typing import Any

from experiments import sentence
from experiments.report import Comparison, MetricReport, Report, Total, Verdict
from experiments.stats import Effect, Mean, Statistic

HASH_VERSION = 2


def document(report: Report) -> dict[str, Any]:
    """Keys as in the API; absent numbers are null, fractions are fractions, times are datetimes."""
    ratio = report.sample_ratio
    return {
        "key": report.key,
        "name": report.name,
        "as_of": report.as_of,
        "started_at": report.started_at,
        "ended_at": report.ended_at,
        "alpha": report.alpha,
        "assignment": {"seed": report.key, "hash_version": HASH_VERSION},
        "summary": sentence.first_sentence(report),
        "remarks": sentence.further_sentences(report),
        "verdict": verdict_document(report.verdict),
        "variants": [asdict(variant) for variant in report.variants],
        "sample_ratio": None if ratio is None else asdict(ratio),
        "metrics": [_metric(metric) for metric in report.metrics],
    }


def verdict_document(verdict: Verdict) -> dict[str, Any]:
    return {
        "finding": verdict.finding.value,
        "metric": verdict.metric,
        "variant": verdict.variant,
        "baseline": verdict.baseline,
        "effect": _effect(verdict.effect),
        "p_value": verdict.p_value,
        "incremental": _total(verdict.incremental),
        "is_good": verdict.is_good,
        "is_preliminary": verdict.is_preliminary,
        "compared": verdict.compared,
    }


def _metric(metric: MetricReport) -> dict[str, Any]:
    return {
        "key": metric.key,
        "name": metric.name,
        "kind": metric.kind,
        "event": metric.event,
        "direction": metric.direction,
        "scope": metric.scope,
        "window_days": metric.window_days,
        "is_primary": metric.is_primary,
        "complete_at": metric.complete_at,
        "baseline": metric.baseline,
        "statistics": {key: _statistic(found) for key, found in metric.statistics.items()},
        "comparisons": [_comparison(comparison) for comparison in metric.comparisons],
        "series": [
            {"day": point.day, "at": point.at, "variant": point.variant, "effect": _effect(point.effect)}
            for point in metric.series
        ],
    }


def _statistic(statistic: Statistic) -> dict[str, Any]:
    if isinstance(statistic, Mean):
        # Decimal sums as text: no digit is lost on the way.
        return {
            "n": statistic.n,
            "sum": str(statistic.sum),
            "sum_squares": str(statistic.sum_squares),
            "value": statistic.value,
        }
    return {"n": statistic.n, "successes": statistic.successes, "value": statistic.value}


def _comparison(comparison: Comparison) -> dict[str, Any]:
    return {
        "variant": comparison.variant,
        "baseline": comparison.baseline,
        "effect": _effect(comparison.effect),
        "obstacle": None if comparison.obstacle is None else comparison.obstacle.value,
        "incremental": _total(comparison.incremental),
        "adjusted_p_value": comparison.adjusted_p_value,
        "simultaneous": _effect(comparison.simultaneous),
    }


def _effect(effect: Effect | None) -> dict[str, Any] | None:
    if effect is None:
        return None
    return {**asdict(effect), "notes": [note.value for note in effect.notes]}


def _total(total: Total | None) -> dict[str, Any] | None:
    return None if total is None else asdict(total)
