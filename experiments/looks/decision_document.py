"""Plan, looks and decision of any experiment, as one document and as the card of its report."""

from typing import Any

from django.utils.translation import gettext as _

from experiments.looks import looks
from experiments.looks.decision_words import describe_plan, sentence_of
from experiments.models import Experiment
from experiments.plans.document import plan_document
from experiments.plans.plan import current_plan
from experiments.selectors import Stages


def decision_document_of(experiment: Experiment, *, stages: Stages | None = None) -> dict[str, Any]:
    """`decision` is None without a plan, and before the first analysis."""
    plan = current_plan(experiment)
    judgement = looks.judge_now(plan, stages=stages) if plan else None
    found: dict[str, Any] | None = None
    if judgement is not None:
        sentence = sentence_of(experiment, judgement)
        found = {**looks.decision_document(judgement.decision), "sentence": sentence}
    return {**plan_document(experiment), "decision": found}


def decision_card(experiment: Experiment, *, stages: Stages | None = None) -> dict[str, Any] | None:
    """None without a plan."""
    plan = current_plan(experiment)
    if plan is None:
        return None
    judgement = looks.judge_now(plan, stages=stages)
    versions = list(experiment.plans.order_by("version"))
    waiting = _("The first analysis is under way; until then nothing can be said.")
    return {
        "action": judgement.decision.action.value if judgement else "go_on",
        "sentence": sentence_of(experiment, judgement) if judgement else waiting,
        "plan": describe_plan(experiment, plan),
        "plan_made": versions[0],
        "changes": versions[1:],
        "next_look_at": plan.next_look_at,
        "looks": list(plan.taken.order_by("number")),
    }
