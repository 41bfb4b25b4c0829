"""`{% vary %}`: each choice in a message is an experiment of its own, made at the launch, told in the report.

Its variants are the versions in the order of the template. Who gets which, with what chance, is stored like
any assignment; opens and clicks of the campaign's messages count for it.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from campaigns import channels
from campaigns.errors import InvalidCampaign
from campaigns.models import Run
from campaigns.reports.words import effect_text, interval_text
from campaigns.rollout.waves import LearningPlan, metric_of
from experiments import selectors as experiments
from experiments import services, tasks
from experiments.models import Allocation, Experiment, Metric
from experiments.reports.sentence import first_sentence
from personalization.content.choices import excerpt
from personalization.content.errors import TemplateError
from personalization.content.needs import Need

FLOOR = 0.1
# What is learned from: outcomes of a day, so that a choice learns while its campaign still runs.
WITHIN = timedelta(days=1)


@dataclass(frozen=True)
class Choice:
    """How one `vary` shares its versions out; `metric` is None where nothing is learned."""

    learns: bool
    metric: Metric | None
    floor: float


def read_choice(need: Need) -> Choice:
    """Raises ValueError with what is wrong."""
    given = need.fixed()
    if len(given) < len(need.arguments):
        raise ValueError(_("its arguments are written out, the same for everybody"))
    if not isinstance(given.get("learn", False), bool):
        raise ValueError(_("learn is true or false"))
    floor = given.get("floor", FLOOR)
    if not isinstance(floor, int | float) or not 0 < floor * len(need.options) <= 1:
        most = f"{1 / len(need.options):.2f}"
        raise ValueError(_("floor lies above 0 and is at most %(most)s") % {"most": most})
    if not given.get("learn"):
        return Choice(False, None, float(floor))
    try:
        metric = metric_of(LearningPlan(metric=str(given["metric"]) if "metric" in given else None))
    except InvalidCampaign as error:
        raise ValueError(error.detail or error.errors[0]["detail"]) from error
    return Choice(True, metric, float(floor))


def start_varying(
    run_key: str, content: Mapping[str, Any], *, parent: Experiment, at: datetime
) -> dict[str, dict[str, int]]:
    """An experiment for each choice in the messages, by variant and name; {} when there is none."""
    found: dict[str, dict[str, int]] = {}
    channel = channels.get(content["channel"])
    for position, (key, variant) in enumerate(content["variants"].items()):
        try:
            needs = channel.compile(variant).needs
        except TemplateError:
            continue  # told when it is sent: nobody of this variant gets a message
        for need in needs:
            if need.kind == "vary":
                experiment = _start(f"{run_key}-vary-{position}-{need.name}", need, variant, parent, at)
                found.setdefault(key, {})[need.name] = experiment.pk
    return found


def _start(key: str, need: Need, variant: Mapping[str, Any], parent: Experiment, at: datetime) -> Experiment:
    versions = [
        services.VariantSpec(key=version_key(number, source), name=_label(number, source), weight=1)
        for number, source in enumerate(need.options, start=1)
    ]
    experiment = services.create_experiment(
        key=key, name=f"{parent.name}, {variant['name']}: {need.name}", variants=versions,
        allocation=Allocation.LEARNING if need.fixed().get("learn") else Allocation.FIXED, within=parent,
    )  # fmt: skip
    services.start_experiment(experiment, at=at)
    return experiment


def version_key(number: int, source: str) -> str:
    """The same text keeps its key from launch to launch: what was learned of it still holds."""
    return f"{number}-{hashlib.sha256(source.encode()).hexdigest()[:8]}"


def _label(number: int, source: str) -> str:
    return f"{number}: {excerpt(source)}"[:100]


def earlier(experiment: Experiment, campaign_id: int, need: Need) -> list[Experiment]:
    """Experiments of the same choice in earlier runs of the campaign, newest first."""
    runs = Run.objects.filter(campaign=campaign_id).values("experiment")
    found = Experiment.objects.filter(within__in=runs, key__regex=rf"-vary-\d+-{need.name}$")
    return list(found.filter(pk__lt=experiment.pk).order_by("-pk")[:5])


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


def told(run: Run) -> list[dict[str, Any]]:
    """For the run's report: each choice with its versions, what each did, and the first sentence."""
    names = {key: variant["name"] for key, variant in run.content.get("variants", {}).items()}
    found = []
    for variant, choices in (run.content.get("varies") or {}).items():
        rows = Experiment.objects.in_bulk(choices.values())
        for name, pk in choices.items():
            if pk in rows:
                found.append({"name": name, "variant": names.get(variant, variant), **_told(rows[pk])})
    return found


def _told(experiment: Experiment) -> dict[str, Any]:
    tasks.wish(experiment)
    report = experiments.newest_report(experiment, primary_only=True)
    facts: dict[str, Any] = {
        "experiment": experiment, "learns": experiment.allocation == Allocation.LEARNING,
    }  # fmt: skip
    if report is None:
        names = experiment.variants.order_by("position").values_list("name", flat=True)
        return {**facts, "sentence": "", "versions": [{"name": one} for one in names]}
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
