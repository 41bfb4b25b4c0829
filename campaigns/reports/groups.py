"""Effects by groups of customers: rows of the table, and of the plot beside it."""

from typing import Any

from campaigns.reports.words import difference_interval, difference_text, obstacle_text, p_text
from experiments.breakdowns.report import GroupEffect
from experiments.reports.breakdown_words import label_text
from experiments.reports.report import MetricReport, Report


def group_rows(report: Report) -> list[dict[str, Any]]:
    """One entry for each way of dividing and each variant, with its groups."""
    metric = metric_of(report)
    if report.breakdown is None or metric is None:
        return []
    return [
        {
            "name": cut.name,
            "variant": report.variant(cut.variant).name,
            "baseline": report.variant(cut.baseline).name,
            "metric": metric.name,
            "differs": cut.differs,
            "p": p_text(cut.p_value),
            "groups": [_row(metric, cut.kind, group) for group in cut.groups],
        }
        for cut in report.breakdown.cuts
    ]


def group_chart(report: Report) -> dict[str, Any]:
    """Absolute effects with the intervals that hold for all together; shares in percentage points."""
    metric = metric_of(report)
    if report.breakdown is None or metric is None:
        return {"rows": [], "isShare": False}
    scale = 100.0 if metric.is_share else 1.0
    rows = []
    for cut in report.breakdown.cuts:
        for group in cut.groups:
            if group.wide is None:
                continue
            low, high = group.wide.absolute_ci
            rows.append(
                {
                    "variant": f"{cut.name}: {label_text(cut.kind, group.label)}",
                    "metric": report.variant(cut.variant).name,
                    "value": group.wide.absolute * scale,
                    "low": None if low is None else low * scale,
                    "high": None if high is None else high * scale,
                    "tone": _tone(metric, group),
                }
            )
    return {"rows": rows, "isShare": metric.is_share}


def metric_of(report: Report) -> MetricReport | None:
    if report.breakdown is None:
        return None
    return next((metric for metric in report.metrics if metric.key == report.breakdown.metric), None)


def _row(metric: MetricReport, kind: str, group: GroupEffect) -> dict[str, Any]:
    effect = group.wide
    return {
        "label": label_text(kind, group.label),
        "customers": group.control.n + group.treatment.n,
        "difference": difference_text(metric, effect.absolute) if effect else "",
        "interval": difference_interval(metric, effect) if effect else "",
        "p": p_text(group.p_value) if effect else "",
        "obstacle": obstacle_text(group.obstacle),
        "tone": _tone(metric, group),
    }


def _tone(metric: MetricReport, group: GroupEffect) -> str:
    if group.wide is None:
        return ""
    low, high = group.wide.absolute_ci
    if low is not None and low > 0:
        return "good" if metric.direction == "up" else "bad"
    if high is not None and high < 0:
        return "bad" if metric.direction == "up" else "good"
    return ""
