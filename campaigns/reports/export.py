"""The report as a file: a table for spreadsheets, and the whole JSON document of the API."""

import csv
from collections.abc import Iterator
from io import StringIO
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404

from campaigns import selectors
from campaigns.reports.allocation import learned_from
from campaigns.reports.found import countable
from campaigns.reports.page import harmless
from experiments import selectors as experiments
from experiments.models import Experiment
from experiments.plans.document import plan_document
from experiments.reports.document import document
from experiments.reports.floored import floored
from experiments.reports.report import Comparison, Report
from personalization.access.shell import staff_page
from personalization.customers.reading import may_see

COLUMNS = [
    "as_of", "metric", "group_by", "group", "variant", "baseline", "customers", "value", "difference",
    "difference_low", "difference_high", "relative", "relative_low", "relative_high", "p_value", "method",
    "holds_for_all_together",
]  # fmt: skip


@staff_page("campaigns.view_campaign")
def as_csv(request: HttpRequest, key: str) -> HttpResponse:
    """One line for each metric and variant, then one for each group of customers."""
    found = _report(request, key)
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for row in (*_metrics(found), *_groups(found)):
        writer.writerow([harmless(cell) if isinstance(cell, str) else cell for cell in row])
    return _file("\ufeff" + text.getvalue(), f"{key}.csv", "text/csv; charset=utf-8")


@staff_page("campaigns.view_campaign")
def as_json(request: HttpRequest, key: str) -> HttpResponse:
    plan = plan_document(get_object_or_404(Experiment, key=key))
    answer = JsonResponse({**document(_report(request, key)), "plan": plan}, json_dumps_params={"indent": 1})
    answer["Content-Disposition"] = f'attachment; filename="{key}.json"'
    return answer


def _report(request: HttpRequest, key: str) -> Report:
    experiment = get_object_or_404(Experiment, key=key)
    found = experiments.newest_report(
        experiment, stages=selectors.stages(experiment), learned_from=learned_from(experiment)
    )
    if found is None:
        raise Http404
    told = countable(experiment, found)
    return told if may_see(request) else floored(told)


def _metrics(report: Report) -> Iterator[list[Any]]:
    for metric in report.metrics:
        compared = {one.variant: one for one in metric.comparisons}
        for variant, statistic in metric.statistics.items():
            head = [report.as_of.isoformat(), metric.key, "", "", variant]
            one = compared.get(variant)
            yield [*head, one.baseline if one else "", statistic.n, statistic.value, *_effect(one)]


def _effect(one: Comparison | None) -> list[Any]:
    effect = one.decisive if one else None
    if one is None or effect is None:
        return [""] * 9
    return [
        effect.absolute, *effect.absolute_ci, effect.relative, *(effect.relative_ci or (None, None)),
        one.decisive_p_value, effect.method, one.simultaneous is not None,
    ]  # fmt: skip


def _groups(report: Report) -> Iterator[list[Any]]:
    if report.breakdown is None:
        return
    for cut in report.breakdown.cuts:
        for group in cut.groups:
            effect = group.wide
            head = [report.as_of.isoformat(), report.breakdown.metric, cut.name, group.label, cut.variant]
            found: list[Any] = [""] * 9
            if effect is not None:
                found = [
                    effect.absolute, *effect.absolute_ci, effect.relative,
                    *(effect.relative_ci or (None, None)), group.p_value, effect.method, True,
                ]  # fmt: skip
            yield [*head, cut.baseline, group.treatment.n, group.treatment.value, *found]


def _file(text: str, name: str, kind: str) -> HttpResponse:
    answer = HttpResponse(text, content_type=kind)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
