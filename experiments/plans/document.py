"""The plan as it was promised, each change of it, and the looks that were taken, as one document."""

from typing import Any

from experiments.models import Experiment, Look
from experiments.plans.plan import current_plan


def plan_document(experiment: Experiment) -> dict[str, Any]:
    """Empty lists without a plan."""
    plan = current_plan(experiment)
    taken = Look.objects.filter(plan__experiment=experiment).select_related("plan").order_by("due_at")
    return {
        "plans": [
            {
                "version": one.version, "terms": one.terms, "made_by": one.made_by, "made_at": one.made_at,
                "reason": one.reason,
            }
            for one in experiment.plans.order_by("version")
        ],
        "next_look_at": plan.next_look_at if plan else None,
        "looks": [
            {
                "plan_version": one.plan.version, "number": one.number, "due_at": one.due_at,
                "taken_at": one.taken_at, "statistics": one.statistics, "decision": one.decision,
            }
            for one in taken
        ],
    }  # fmt: skip
