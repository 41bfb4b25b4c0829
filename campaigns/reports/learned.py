"""What learning found, in words, tables and plots: of each message what to believe, day by day, and what
learning cost."""

from typing import Any

import numpy as np
from django.utils.translation import gettext as _

from campaigns.reports.words import amount, bounds
from experiments.bandits.beliefs import posterior
from experiments.learning.report import LearnedDay, LearnedMetric, LearnedVariant, Regret
from experiments.reports.report import Report

SURE = 0.95
NO_LEARNING: dict[str, Any] = {"arms": [], "days": [], "variants": [], "regret": [], "isShare": False}


def learned_context(report: Report) -> list[dict[str, Any]]:
    """One for each metric told, the primary one first."""
    return [_told(report, one) for one in report.allocation.learned] if report.allocation else []


def learned_charts(report: Report) -> dict[str, Any]:
    """Of the metric that the draws go by: `arms` are densities, `days` the shares drawn and the chances to be
    the best, in the order of `variants`; `regret` day, cost as drawn, cost of equal shares."""
    if report.allocation is None or not report.allocation.learned:
        return NO_LEARNING
    metric = report.allocation.learned[-1]
    return {
        "metric": metric.name,
        "isShare": metric.is_share,
        "arms": _densities(report, metric),
        "variants": [report.variant(one.variant).name for one in metric.variants],
        "days": [
            [row["number"], [one.drawn / (row["drawn"] or 1) for one in row["cells"]],
             [one.known.best for one in row["cells"]]]
            for row in _rows(metric)
        ],
        "regret": metric.regret_days,
    }  # fmt: skip


def _told(report: Report, metric: LearnedMetric) -> dict[str, Any]:
    names = {variant.key: variant.name for variant in report.variants}
    return {
        "key": metric.key,
        "name": metric.name,
        "sentences": _sentences(metric, names),
        "variants": [_variant(metric, one, names[one.variant]) for one in metric.variants],
        "days": [
            {
                "number": row["number"],
                "cells": [
                    {"name": names[variant], **_cell(metric, one, row["drawn"])}
                    for variant, one in zip(metric.days, row["cells"], strict=True)
                ],
            }
            for row in _rows(metric)
        ],
    }


def _cell(metric: LearnedMetric, one: LearnedDay, drawn: int) -> dict[str, str]:
    return {
        "share": f"{one.drawn / drawn:.0%}" if drawn else "–",
        "value": amount(one.known.value, is_share=metric.is_share),
        "best": _chance(one.known.best),
    }


def _variant(metric: LearnedMetric, one: LearnedVariant, name: str) -> dict[str, Any]:
    return {
        "name": name,
        "customers": one.customers,
        "effective": round(one.effective),
        "value": amount(one.value, is_share=metric.is_share),
        "interval": bounds(one.interval, lambda value: amount(value, is_share=metric.is_share)),
        "best": _chance(one.best),
        "loss": amount(one.loss, is_share=metric.is_share, digits=3),
    }


def _rows(metric: LearnedMetric) -> list[dict[str, Any]]:
    rows: list[tuple[LearnedDay, ...]] = list(zip(*metric.days.values(), strict=True))
    return [
        {"number": cells[0].day, "cells": cells, "drawn": sum(one.drawn for one in cells)} for cells in rows
    ]


def _sentences(metric: LearnedMetric, names: dict[str, str]) -> list[str]:
    known = [one for one in metric.variants if one.best is not None]
    if not known:
        return [_("It is too early to say which message is the best by “%s”.") % metric.name]
    top = max(known, key=lambda one: one.best or 0.0)
    said = {"variant": names[top.variant], "metric": metric.name, "chance": _chance(top.best)}
    if (top.best or 0.0) >= SURE:
        found = [_("“%(variant)s” is the best message by “%(metric)s” with a chance of %(chance)s.") % said]
    else:
        found = [
            _("Which message is the best by “%(metric)s” cannot be told yet: “%(variant)s” has a chance of "
              "%(chance)s.") % said
        ]  # fmt: skip
    if metric.regret is None:
        found.append(_("Each customer has a best message of their own: what learning cost is not told."))
    else:
        found.append(_cost(metric, metric.regret))
    return found


def _cost(metric: LearnedMetric, regret: Regret) -> str:
    given = {
        "metric": metric.name, "cost": f"{regret.value:,.1f}", "even": f"{regret.even:,.1f}",
        "interval": bounds(regret.interval, lambda value: f"{value:,.1f}"),
    }  # fmt: skip
    if metric.is_share:
        text = _(
            "Against the best message alone, trying all of them cost about %(cost)s customers in "
            "“%(metric)s” (95 %%: %(interval)s); equal shares would have cost %(even)s."
        )
    else:
        text = _(
            "Against the best message alone, trying all of them cost about %(cost)s in “%(metric)s” "
            "(95 %%: %(interval)s); equal shares would have cost %(even)s."
        )
    return text % given


def _chance(value: float | None) -> str:
    if value is None:
        return "–"
    if value > 0.999:
        return "> 99.9 %"
    return "< 0.1 %" if value < 0.001 else f"{value * 100:.1f} %"


def _densities(report: Report, metric: LearnedMetric) -> list[dict[str, Any]]:
    scale = 100.0 if metric.is_share else 1.0
    found = []
    for one in metric.variants:
        belief = posterior(one.sums, is_share=metric.is_share) if one.interval else None
        if belief is None:
            continue
        x = np.linspace(float(belief.ppf(0.0005)), float(belief.isf(0.0005)), 81)
        points = np.column_stack([x * scale, belief.pdf(x) / scale]).tolist()
        found.append({"variant": report.variant(one.variant).name, "points": points})
    return found
