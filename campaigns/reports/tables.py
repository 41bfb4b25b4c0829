"""The report's tables, each the readable source of a plot, and the plots' numbers."""

from collections.abc import Collection
from dataclasses import replace
from statistics import NormalDist
from typing import Any

from campaigns.reports.groups import group_chart
from campaigns.reports.learned import NO_LEARNING, learned_charts
from campaigns.reports.words import (
    amount,
    difference_interval,
    difference_text,
    effect_text,
    interval_text,
    obstacle_text,
    p_text,
)
from experiments.reports.report import Comparison, MetricReport, Report
from experiments.reports.sentence import explain_note
from experiments.stats import Note, Proportion
from experiments.stats.kinds import plain_of

FUNNEL = ("opened", "clicked", "conversion")
NO_CHARTS: dict[str, Any] = {
    "forest": [], "series": [], "funnel": [], "posterior": {"curves": []}, "metric": "",
    "groups": {"rows": [], "isShare": False}, "learned": NO_LEARNING,
}  # fmt: skip


def without_silence(report: Report) -> Report:
    """Without metrics of a campaign's own events when nothing was sent: nobody opens what nobody got."""
    was_sent = any(sum(filter(None, counts)) for counts in report.stage_counts.values())
    return report if was_sent else without_uncounted(report, {metric.key for metric in report.metrics})


def without_uncounted(report: Report, keys: Collection[str]) -> Report:
    """Without those of the keys that are a campaign's own events and were never seen: no 0 that nobody
    counted."""
    told = [
        metric
        for metric in report.metrics
        if metric.key not in keys or metric.is_primary or metric.scope != "experiment" or _is_heard(metric)
    ]
    return replace(report, metrics=tuple(told))


def _is_heard(metric: MetricReport) -> bool:
    return any(_total(plain_of(statistic)) != 0 for statistic in metric.statistics.values())


def tables(report: Report) -> list[dict[str, Any]]:
    """One per metric, the primary one first."""
    return [_table(report, metric) for metric in sorted(report.metrics, key=lambda m: not m.is_primary)]


def _table(report: Report, metric: MetricReport) -> dict[str, Any]:
    compared = {comparison.variant: comparison for comparison in metric.comparisons}
    return {
        "key": metric.key,
        "name": metric.name,
        "is_primary": metric.is_primary,
        "is_share": metric.is_share,
        "window_days": metric.window_days,
        "notes": _notes(metric),
        "is_simultaneous": sum(one.simultaneous is not None for one in metric.comparisons) > 1,
        "rows": [
            _row(report, metric, key, compared.get(key))
            for key in (variant.key for variant in report.variants if variant.key in metric.statistics)
        ],
    }


def _notes(metric: MetricReport) -> list[str]:
    """What a reader must know beside the numbers shown, each once."""
    shown = [one.decisive for one in metric.comparisons if one.decisive]
    return [explain_note(note) for note in Note if any(note in effect.notes for effect in shown)]


def against_control(report: Report) -> list[dict[str, Any]]:
    """What each message earned, where the plan compares messages with each other."""
    metric = report.primary
    if metric is None:
        return []
    return [_row(report, metric, one.variant, one) for one in metric.against_control]


def _row(report: Report, metric: MetricReport, key: str, comparison: Comparison | None) -> dict[str, Any]:
    statistic, variant = metric.statistics[key], report.variant(key)
    plain = plain_of(statistic)
    share = isinstance(plain, Proportion)
    total = _total(plain)
    effect = comparison.decisive if comparison else None
    p_value = comparison.decisive_p_value if comparison else None
    return {
        "name": variant.name,
        "is_baseline": key == metric.baseline,
        "customers": statistic.n,
        "total": "–" if total is None else f"{total:,.0f}" if share else f"{total:,.2f}",
        "value": amount(_value(metric, key, statistic.value), is_share=share),
        "difference": difference_text(metric, effect.absolute) if effect else "",
        "difference_interval": difference_interval(metric, effect) if effect else "",
        "effect": effect_text(metric, effect) if effect else "",
        "interval": interval_text(metric, effect) if effect else "",
        "p": p_text(p_value) if effect else "",
        "obstacle": obstacle_text(comparison.obstacle) if comparison and not effect else "",
        "tone": _tone(metric, comparison),
    }


def _value(metric: MetricReport, key: str, measured: float | None) -> float | None:
    return measured if metric.weighted_values is None else metric.weighted_values.get(key)


def _total(plain: Any) -> float | None:
    """What all customers of the group did together; None for quantiles."""
    for name in ("successes", "sum", "num_sum"):
        if hasattr(plain, name):
            return float(getattr(plain, name))
    return None


def _tone(metric: MetricReport, comparison: Comparison | None) -> str:
    if comparison is None or comparison.decisive is None:
        return ""
    low, high = comparison.decisive.absolute_ci
    if low is not None and low > 0:
        return "good" if metric.direction == "up" else "bad"
    if high is not None and high < 0:
        return "bad" if metric.direction == "up" else "good"
    return ""


def charts(report: Report) -> dict[str, Any]:
    """`forest`, `series` (over the days, primary metric), `funnel`, `posterior`, `groups`,
    `learned`; null where unknown.

    The funnel begins with the opened; `with_sent` puts the sent before them.
    """
    primary = report.primary
    return {
        "forest": _forest(report),
        "series": _series(report, primary) if primary else [],
        "funnel": _funnel(report),
        "posterior": _posterior(report, primary) if primary else {"curves": []},
        "metric": primary.name if primary else "",
        "groups": group_chart(report),
        "learned": learned_charts(report),
    }


def _forest(report: Report) -> list[dict[str, Any]]:
    rows = []
    for metric in sorted(report.metrics, key=lambda m: not m.is_primary):
        for comparison in metric.comparisons:
            effect = comparison.decisive
            if effect is None or effect.relative is None or effect.relative_ci is None:
                continue
            rows.append(
                {
                    "metric": metric.name,
                    "variant": report.variant(comparison.variant).name,
                    "value": effect.relative,
                    "low": effect.relative_ci[0],
                    "high": effect.relative_ci[1],
                    "tone": _tone(metric, comparison),
                }
            )
    return rows


def _series(report: Report, metric: MetricReport) -> list[dict[str, Any]]:
    found: dict[str, list[list[float | None]]] = {}
    for point in metric.series:
        effect = point.effect
        if effect is None or effect.relative is None or effect.relative_ci is None:
            continue
        low, high = effect.relative_ci
        always = (point.always_valid and point.always_valid.relative_ci) or (None, None)
        found.setdefault(point.variant, []).append([point.day, effect.relative, low, high, *always])
    return [{"variant": report.variant(key).name, "points": points} for key, points in found.items()]


def _posterior(report: Report, metric: MetricReport) -> dict[str, Any]:
    """Density of the difference per customer (shares: in percentage points), with the middle and spread that
    the belief has: it is normal for means, and so close to it for shares that no eye tells them apart.
    """
    scale = 100.0 if metric.is_share else 1.0
    curves = []
    for comparison in metric.comparisons:
        belief = comparison.belief
        low, high = belief.credible_interval if belief else (None, None)
        if belief is None or low is None or high is None or not low < high:
            continue
        middle = NormalDist().inv_cdf(1 - belief.alpha / 2)
        curve = NormalDist(belief.absolute * scale, (high - low) * scale / (2 * middle))
        steps = [curve.mean + curve.stdev * step / 10 for step in range(-40, 41)]
        curves.append(
            {
                "variant": report.variant(comparison.variant).name,
                "points": [[x, curve.pdf(x)] for x in steps],
            }
        )
    return {"curves": curves, "isShare": metric.is_share}


def _funnel(report: Report) -> list[dict[str, Any]]:
    by_key = {metric.key: metric for metric in report.metrics}
    rows = []
    for variant in report.variants:
        if variant.is_control:
            continue
        counts: list[float | None] = []
        for key in FUNNEL:
            if key not in by_key:  # nobody counts it
                counts.append(None)
                continue
            statistic = by_key[key].statistics.get(variant.key)
            plain = None if statistic is None else plain_of(statistic)
            counts.append(plain.successes if isinstance(plain, Proportion) else 0)
        rows.append({"key": variant.key, "variant": variant.name, "counts": counts})
    return rows


def with_sent(drawn: dict[str, Any], progress: dict[str, Any]) -> dict[str, Any]:
    """The plots with how many were sent by now: the report is kept for seconds, the ledger moves on."""
    sent = {key: counts["sent"] for key, counts in progress["variants"].items()}
    rows = [{**row, "counts": [sent.get(row["key"], 0), *row["counts"]]} for row in drawn["funnel"]]
    return {**drawn, "funnel": rows}
