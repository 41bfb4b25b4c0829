"""Guardrails and beliefs of a report as rows to read."""

from typing import Any

from django.utils.translation import gettext as _

from campaigns.reports.words import percent
from experiments.reports.report import MetricReport, Report
from experiments.stats import Standing


def guardrails(report: Report) -> list[dict[str, str]]:
    """One row for each variant and guardrail metric: is it at most a little worse?"""
    words = {
        Standing.NOT_INFERIOR: ("good", _("holds")),
        Standing.INFERIOR: ("bad", _("broken")),
        Standing.CANNOT_TELL: ("warn", _("cannot be told yet")),
    }
    rows = []
    for metric in report.metrics:
        for comparison in metric.comparisons:
            found = comparison.guardrail
            if found is None:
                continue
            tone, text = words[found.standing]
            rows.append(
                {
                    "metric": metric.name,
                    "variant": report.variant(comparison.variant).name,
                    "tone": tone,
                    "standing": text,
                    "margin": _amount(metric, found.margin),
                    "worst": "–" if found.worst is None else _amount(metric, found.worst),
                }
            )
    return rows


def beliefs(report: Report) -> list[dict[str, Any]]:
    """The primary metric as chances: how likely is each variant better, and what is lost if not."""
    primary = report.primary
    if primary is None:
        return []
    return [
        {
            "variant": report.variant(comparison.variant).name,
            "chance": percent(comparison.belief.chance_to_beat).lstrip("+"),
            "loss": _amount(primary, comparison.belief.expected_loss).lstrip("+"),
        }
        for comparison in primary.comparisons
        if comparison.belief
    ]


def _amount(metric: MetricReport, value: float) -> str:
    if metric.is_share:
        points = f"{value * 100:+.3f}".replace("-", "−")
        return _("%(n)s percentage points") % {"n": points}
    return f"{value:+,.3f}".replace("-", "−")
