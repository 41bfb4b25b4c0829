"""What a reader must know where the variants were not shared out in fixed shares."""

from typing import Any

from django.utils.translation import gettext as _

from campaigns.models import Learning, Run
from campaigns.reports.varied import learns_from
from campaigns.reports.words import difference_interval, difference_text
from experiments.models import Experiment
from experiments.reports.report import Report
from experiments.reports.sentence import p_equation
from experiments.reports.weighted import allocation_sentences


def allocation_context(report: Report) -> dict[str, Any] | None:
    """`sentences`, the one with the result first; None where the shares were fixed."""
    found = report.allocation
    if found is None:
        return None
    sentences = []
    if found.drawn is not None and report.primary is not None:
        sentences.append(
            _("All messages together, as they were drawn, against no message: %(effect)s for each customer "
              "(95 %% interval %(interval)s, %(p)s).")
            % {
                "effect": difference_text(report.primary, found.drawn.absolute),
                "interval": difference_interval(report.primary, found.drawn),
                "p": p_equation(found.drawn.p_value),
            }
        )  # fmt: skip
    weakest = min(found.effective.values(), default=None)
    return {"sentences": [*sentences, *allocation_sentences(found.kind, weakest)]}


def learned_from(experiment: Experiment) -> str | None:
    """Key of the metric that the draws go by; None where they go by none."""
    found = Learning.objects.filter(run__experiment=experiment).values_list("metric__key", flat=True).first()
    if found is None and (metric := learns_from(experiment)) is not None:
        return metric.key
    return found


def waves_of(run: Run) -> list[dict[str, Any]]:
    """The waves of a run that learns: what was drawn in each, as shares."""
    learning = getattr(run, "learning", None)
    if learning is None:
        return []
    names = dict(run.experiment.variants.values_list("key", "name"))
    rows = []
    for line in learning.log:
        drawn = line.get("drawn", {})
        total = sum(drawn.values()) or 1
        rows.append(
            {
                "number": line["wave"] + 1,
                "customers": line["customers"],
                "shares": [(names.get(key, key), f"{n / total:.0%}") for key, n in drawn.items()],
            }
        )
    return rows
