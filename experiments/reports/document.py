"""The report as JSON: every number beside the sums it was computed from, so that anybody can recompute it."""

from dataclasses import asdict
from importlib.metadata import version
from typing import Any

from experiments.breakdowns.report import BreakdownReport
from experiments.learning.report import LearnedMetric
from experiments.reports import sentence
from experiments.reports.breakdown_words import breakdown_sentences
from experiments.reports.notices import notices
from experiments.reports.report import Comparison, MetricReport, Report, Total, Verdict
from experiments.reports.weighted import allocation_sentences
from experiments.stats import Effect, as_json

HASH_VERSION = 2
# What the numbers were computed with.
PACKAGES = ("numpy", "scipy", "statsmodels")


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
        "stages": {
            name: {"observed": report.stage_counts[name], "ratio": as_json(found)}
            for name, found in report.stages.items()
        },
        "seen_twice": {"customers": report.seen_twice_customers, "check": as_json(report.seen_twice)},
        "last_event_at": report.last_event_at,
        "notices": [asdict(notice) for notice in notices(report)],
        "versions": {name: version(name) for name in PACKAGES},
        "metrics": [_metric(metric) for metric in report.metrics],
        "allocation": _allocation(report),
        "breakdown": None if report.breakdown is None else _breakdown(report, report.breakdown),
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
        "role": metric.role,
        "margin": metric.margin,
        "definition": metric.definition,
        "complete_at": metric.complete_at,
        "baseline": metric.baseline,
        "statistics": {
            key: {**as_json(found), "n": found.n, "value": found.value}
            for key, found in metric.statistics.items()
        },
        "comparisons": [_comparison(comparison) for comparison in metric.comparisons],
        "weighted_values": metric.weighted_values,
        "against_control": [_comparison(comparison) for comparison in metric.against_control],
        "series": [
            {
                "day": point.day,
                "at": point.at,
                "variant": point.variant,
                "effect": _effect(point.effect),
                "always_valid": _effect(point.always_valid),
                "statistics": as_json(point.statistics),
            }
            for point in metric.series
        ],
        "daily": {key: as_json(days) for key, days in metric.daily.items()},
    }


def _comparison(comparison: Comparison) -> dict[str, Any]:
    return {
        "variant": comparison.variant,
        "baseline": comparison.baseline,
        "effect": _effect(comparison.effect),
        "obstacle": None if comparison.obstacle is None else comparison.obstacle.value,
        "incremental": _total(comparison.incremental),
        "adjusted_p_value": comparison.adjusted_p_value,
        "simultaneous": _effect(comparison.simultaneous),
        "always_valid": _effect(comparison.always_valid),
        "unadjusted": _effect(comparison.unadjusted),
        "belief": as_json(comparison.belief),
        "guardrail": as_json(comparison.guardrail),
        "denominator": as_json(comparison.denominator),
        "counts": as_json(comparison.counts),
        "novelty": as_json(comparison.novelty),
        "family_p_value": comparison.family_p_value,
    }


def _allocation(report: Report) -> dict[str, Any] | None:
    found = report.allocation
    if found is None:
        return None
    return {
        "kind": found.kind,
        "drawn": _effect(found.drawn),
        "effective": found.effective,
        "learned": [_learned(one) for one in found.learned],
        "sentences": allocation_sentences(found.kind, min(found.effective.values(), default=None)),
    }


def _learned(metric: LearnedMetric) -> dict[str, Any]:
    return {
        **asdict(metric),
        "variants": [asdict(one) for one in metric.variants],
        "days": {key: [asdict(day) for day in days] for key, days in metric.days.items()},
        "regret_days": [list(day) for day in metric.regret_days],
    }


def _breakdown(report: Report, found: BreakdownReport) -> dict[str, Any]:
    return {
        "metric": found.metric,
        "method": found.method,
        "alpha": found.alpha,
        "effects": found.cells,
        "least_customers": found.least,
        "chosen_before_start": found.is_planned,
        "sentences": breakdown_sentences(report, found),
        "left_out": [{"name": name, "reason": reason} for name, reason in found.left_out],
        "cuts": [
            {
                "kind": cut.kind,
                "key": cut.key,
                "name": cut.name,
                "variant": cut.variant,
                "baseline": cut.baseline,
                "heterogeneity": cut.heterogeneity and asdict(cut.heterogeneity),
                "p_value": cut.p_value,
                "differs": cut.differs,
                "groups": [
                    {
                        "label": group.label,
                        "statistics": {
                            "control": as_json(group.control) | {"n": group.control.n},
                            "treatment": as_json(group.treatment) | {"n": group.treatment.n},
                        },
                        "effect": _effect(group.effect),
                        "simultaneous": _effect(group.wide),
                        "p_value": group.p_value,
                        "obstacle": None if group.obstacle is None else group.obstacle.value,
                    }
                    for group in cut.groups
                ],
            }
            for cut in found.cuts
        ],
    }


def _effect(effect: Effect | None) -> dict[str, Any] | None:
    if effect is None:
        return None
    return {**asdict(effect), "notes": [note.value for note in effect.notes]}


def _total(total: Total | None) -> dict[str, Any] | None:
    return None if total is None else asdict(total)
