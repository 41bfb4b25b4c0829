"""What the report's form for changing a running plan shows: the terms that hold now, in plain units."""

from typing import Any

from django.utils.translation import gettext as _

from campaigns.planning.outlook import asks_for_share
from experiments.decisions import Method
from experiments.models import Experiment, Metric
from experiments.plans.plan import current_plan


def plan_form(experiment: Experiment) -> dict[str, Any] | None:
    """None when there is no plan, or it was decided: then nothing can be changed any more."""
    plan = current_plan(experiment)
    if plan is None or plan.next_look_at is None:
        return None
    terms = plan.terms
    return {
        "days": f"{terms['length_days']:g}",
        "method": terms["method"],
        "methods": [
            (Method.GROUP_SEQUENTIAL.value, _("Weekly (short tests: 3 times)")),
            (Method.FIXED.value, _("Only at the end")),
            (Method.ALWAYS_VALID.value, _("At any time (needs more customers)")),
        ],
        "effect": f"{terms['minimum_effect'] * 100:g}",
        "guardrails": [_guardrail(one) for one in terms["guardrails"]],
    }


def _guardrail(terms: dict[str, Any]) -> dict[str, Any]:
    metric = Metric.objects.filter(key=terms["metric"]).first()
    is_share = metric is not None and asks_for_share(metric)
    scale = 100 if is_share or terms["is_relative"] else 1
    unit = _("percentage points") if is_share else _("per customer")
    return {
        "metric": terms["metric"],
        "name": _(metric.name) if metric else terms["metric"],
        "is_relative": terms["is_relative"],
        "unit": _("% of its value") if terms["is_relative"] else unit,
        "scale": scale,
        "shown": f"{terms['margin'] * scale:g}",
    }
