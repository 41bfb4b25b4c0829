"""Whom to mail next time: a study of uplift on an experiment's customers, kept, and put to use as a segment
or a trait.
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import numpy as np
from django.db.models import Max
from django.utils.translation import gettext as _

from experiments.errors import NotPossible
from experiments.models import Direction, Experiment, Metric, TargetingStudy, Variant
from experiments.sums.outcomes import is_one_number, load_outcomes
from experiments.trait_table import load_traits, load_traits_like
from experiments.uplift import (
    Judged,
    Offer,
    Rule,
    Study,
    SubgroupReport,
    Trial,
    compare_subgroups,
    study,
    subgroups_of,
)
from personalization.access.jobs.row import JobStatus
from personalization.access.jobs.work import Tell, nobody_listens, part_of
from personalization.access.services import audit
from personalization.customers.models import Customer
from personalization.customers.services import write_traits
from personalization.customers.traits import split_traits
from personalization.segments.models import SegmentVersion
from personalization.segments.services import save_segment

CHUNK = 20_000
# Of the progress: learning and judging, before the scores are written; and of that the loading.
SHARE_OF_LEARNING, SHARE_OF_LOADING = 0.7, 0.2


def load_trial(
    experiment: Experiment, metric: Metric, variant: Variant, *, as_of: datetime, traits: Sequence[str] = ()
) -> Trial:
    """The variant against the control; less is more for a metric that is to go down. Raises NotPossible."""
    control = experiment.variants.filter(is_control=True).first()
    if control is None or control.pk == variant.pk:
        raise NotPossible(_("Only a variant beside a control that got no message can tell whom to mail."))
    outcomes = load_outcomes(experiment, metric, as_of=as_of)
    kept = np.isin(outcomes.variant_ids, (control.pk, variant.pk))
    treated = (outcomes.variant_ids[kept] == variant.pk).astype(np.float64)
    if len(np.unique(treated)) < 2:
        raise NotPossible(_("There are no customers in one of the two variants yet."))
    chance = variant.weight / (variant.weight + control.weight)
    if not 0 < chance < 1:
        raise NotPossible(_("Both variants need a weight."))
    # By the weights alone nobody is drawn with a chance above them, whatever the coverage was.
    drawn = experiment.assignments.filter(variant=variant).aggregate(most=Max("propensity"))
    if (drawn["most"] or 0.0) > variant.weight + 1e-6:
        raise NotPossible(
            _("The chances were made for each customer: what the message does is not to be seen from traits.")
        )
    sign = -1.0 if metric.direction == Direction.DOWN else 1.0
    table = load_traits(outcomes.customer_ids[kept].tolist(), names=traits)
    if not table.names:
        raise NotPossible(_("Nothing is known of these customers: there are no traits to tell them apart."))
    return Trial(table, sign * outcomes.values[kept], treated, np.full(len(treated), chance))


def study_targeting(
    experiment: Experiment,
    metric: Metric,
    variant: Variant,
    *,
    as_of: datetime,
    traits: Sequence[str] = (),
    cost: float = 0.0,
    seed: int = 0,
) -> tuple[TargetingStudy, Study]:
    """Studies and keeps what was found. `cost`: what a message must bring, in the metric's unit.

    Raises NotPossible when there is too little to learn from.
    """
    found, document = _study(experiment, metric, variant, as_of=as_of, traits=traits, cost=cost, seed=seed)
    kept = TargetingStudy.objects.create(
        experiment=experiment, metric=metric, variant=variant, as_of=as_of, offer=found.offer.value,
        document=document,
    )  # fmt: skip
    return kept, found


def ask_for_study(
    experiment: Experiment,
    metric: Metric,
    variant: Variant,
    *,
    now: datetime,
    traits: Sequence[str] = (),
    cost: float = 0.0,
    save_segment_as: str = "",
    write_trait_as: str = "",
    actor: str,
) -> TargetingStudy:
    """A study that a worker makes. What it finds is put to use at once where it may be: an offered rule as a
    segment of this name, an offered model's scores as a trait of that. Raises NotPossible."""
    if not is_one_number(metric):
        raise NotPossible(_("Choose a metric that is one number per customer: no ratio and no quantile."))
    if variant.is_control:
        raise NotPossible(_("Only a variant beside a control that got no message can tell whom to mail."))
    kept = TargetingStudy.objects.create(
        experiment=experiment, metric=metric, variant=variant, as_of=now, status=JobStatus.QUEUED,
        wishes={
            "traits": list(traits), "cost": cost, "save_segment": save_segment_as,
            "write_trait": write_trait_as, "actor": actor,
        },
    )  # fmt: skip
    audit(actor, "targeting.asked", f"experiment:{experiment.key}", study=kept.pk)
    return kept


def make_study(kept: TargetingStudy, tell: Tell) -> dict[str, Any]:
    """The worker's part; answers the fields of the row. Raises NotPossible, NameTaken, Stopped."""
    wishes = kept.wishes
    found, document = _study(
        kept.experiment, kept.metric, kept.variant, as_of=kept.as_of, traits=wishes["traits"],
        cost=wishes["cost"], seed=0, tell=part_of(tell, 0.0, SHARE_OF_LEARNING),
    )  # fmt: skip
    used_as = ""
    if found.offer is Offer.RULE and found.rule and wishes["save_segment"]:
        definition = segment_definition(found.rule)
        save_segment(None, name=wishes["save_segment"], definition=definition, actor=wishes["actor"])
        used_as = wishes["save_segment"]
    elif found.offer is Offer.MODEL and wishes["write_trait"]:
        write_scores(found, trait=wishes["write_trait"], tell=part_of(tell, SHARE_OF_LEARNING, 1.0))
        used_as = wishes["write_trait"]
    return {"offer": found.offer.value, "document": document, "used_as": used_as}


def _study(
    experiment: Experiment,
    metric: Metric,
    variant: Variant,
    *,
    as_of: datetime,
    traits: Sequence[str],
    cost: float,
    seed: int,
    tell: Tell = nobody_listens,
) -> tuple[Study, dict[str, Any]]:
    trial = load_trial(experiment, metric, variant, as_of=as_of, traits=traits)
    tell(SHARE_OF_LOADING)
    try:
        found = study(trial, cost=cost, seed=seed, tell=part_of(tell, SHARE_OF_LOADING, 1.0))
    except ValueError as error:
        raise NotPossible(str(error)) from error
    return found, _document(found, compare_subgroups(subgroups_of(trial)), trial, cost)


def segment_definition(rule: Rule) -> dict[str, Any]:
    """The rule in the language of segments."""
    return {"trait": rule.trait, "op": rule.op, "value": rule.value}


def save_rule_segment(kept: TargetingStudy, *, name: str, actor: str) -> SegmentVersion:
    """Raises NotPossible unless a rule was offered, NameTaken."""
    if kept.offer != Offer.RULE or kept.document is None:
        raise NotPossible(_("No rule stands out: there is nothing to save as a segment."))
    return save_segment(None, name=name, definition=kept.document["rule"]["definition"], actor=actor)


def write_scores(found: Study, *, trait: str, tell: Tell = nobody_listens) -> int:
    """The model's expected extra outcome for every customer, as a trait; how many were written. Who is done
    when it is stopped keeps the score.

    Raises NotPossible when the model was not offered.
    """
    if found.offer is not Offer.MODEL:
        raise NotPossible(_("The model is not offered: it does not beat random order and the best rule."))
    ids = list(Customer.objects.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(ids), CHUNK):
        chunk = ids[start : start + CHUNK]
        scores = found.model.predict(load_traits_like(found.columns, chunk))
        write_traits(
            [
                (pk, split_traits({trait: round(float(score), 6)}))
                for pk, score in zip(chunk, scores, strict=True)
            ]
        )
        tell((start + len(chunk)) / len(ids))
    return len(ids)


def _document(found: Study, groups: SubgroupReport, trial: Trial, cost: float) -> dict[str, Any]:
    rule = found.rule
    return {
        "cost": cost,
        "seed": found.seed,
        "customers": found.customers,
        "judged_customers": found.judged_customers,
        "traits": trial.table.names,
        "everybody": found.everybody and asdict(found.everybody),
        "sums": [asdict(one) for one in found.sums],
        "rule": rule and {"definition": segment_definition(rule), **_judged(found.rule_judged)},
        "model": {"learner": found.learner, "base": found.base, **_judged(found.model_judged)},
        "model_over_rule": found.model_over_rule and asdict(found.model_over_rule),
        "subgroups": asdict(groups) | {"differs": groups.differs},
    }


def _judged(judged: Judged | None) -> dict[str, Any]:
    return asdict(judged) if judged else {}
