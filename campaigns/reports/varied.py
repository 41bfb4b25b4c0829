"""What is told of the versions that a message's `{% vary %}` tags tried."""

from typing import Any

from campaigns import channels
from campaigns.models import Run
from campaigns.needs.vary import read_choice
from campaigns.reports.words import effect_text, interval_text
from experiments import selectors as experiments
from experiments import tasks
from experiments.models import Allocation, Experiment, Metric
from experiments.reports.floored import floored
from experiments.reports.sentence import first_sentence
from personalization.content.needs import Need


def learns_from(experiment: Experiment) -> Metric | None:
    """What the shares of a choice's versions go by; None for another experiment."""
    run = Run.objects.filter(experiment=experiment.within_id).first() if experiment.within_id else None
    if run is None:
        return None
    for variant, choices in (run.content.get("varies") or {}).items():
        for name, pk in choices.items():
            if pk == experiment.pk:
                message = channels.get(run.content["channel"]).compile(run.content["variants"][variant])
                need = next(one for one in message.needs if one.kind == "vary" and one.name == name)
                return _metric_of(need)
    return None


def _metric_of(need: Need) -> Metric | None:
    try:
        return read_choice(need).metric
    except ValueError:
        return None  # the metric was archived since


def told(run: Run, *, whole: bool) -> list[dict[str, Any]]:
    """For the run's report: each choice with its versions, what each did, and the first sentence."""
    names = {key: variant["name"] for key, variant in run.content.get("variants", {}).items()}
    found = []
    for variant, choices in (run.content.get("varies") or {}).items():
        rows = Experiment.objects.in_bulk(choices.values())
        for name, pk in choices.items():
            if pk in rows:
                found.append({"name": name, "variant": names.get(variant, variant), **_told(rows[pk], whole)})
    return found


def _told(experiment: Experiment, whole: bool) -> dict[str, Any]:
    tasks.wish(experiment)
    report = experiments.newest_report(experiment, primary_only=True)
    facts: dict[str, Any] = {
        "experiment": experiment, "learns": experiment.allocation == Allocation.LEARNING,
    }  # fmt: skip
    if report is None:
        names = experiment.variants.order_by("position").values_list("name", flat=True)
        return {**facts, "sentence": "", "versions": [{"name": one} for one in names]}
    report = report if whole else floored(report)
    metric = report.primary
    effects = {one.variant: one.effect for one in metric.comparisons} if metric else {}
    versions = [
        {
            "name": one.name, "customers": one.customers,
            "effect": effect_text(metric, effect) if metric and effect else "",
            "interval": interval_text(metric, effect) if metric and effect else "",
        }
        for one in report.variants
        for effect in [effects.get(one.key)]
    ]  # fmt: skip
    return {
        **facts, "sentence": first_sentence(report), "versions": versions, "metric": metric and metric.name,
    }  # fmt: skip
