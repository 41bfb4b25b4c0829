"""The plan of an experiment: frozen at the start, changed only openly."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.forms.models import model_to_dict
from django.utils.translation import gettext as _

from experiments.decisions import Criteria, Guardrail, Method
from experiments.errors import InvalidPlan
from experiments.models import Experiment, Metric, Plan
from experiments.plans.draft import WISHES, draft_criteria, entrants_of, make_criteria
from personalization.access.services import audit

# A start so long ago is one: the call took its time.
JUST_NOW = timedelta(minutes=5)
NOT_ASKED = ("name", "position", "role", "margin")


@transaction.atomic
def freeze_plan(experiment: Experiment, criteria: Criteria, *, actor: str, at: datetime) -> Plan:
    """Version 1, with the definitions of its metrics as they are now. Raises InvalidPlan if there is one."""
    # Locked, so that two callers do not both make the first.
    Experiment.objects.select_for_update().get(pk=experiment.pk)
    if experiment.plans.exists():
        raise InvalidPlan(_("This experiment has its plan already; change it with a reason."))
    return _store(experiment, criteria, version=1, actor=actor, at=at, reason="")


@transaction.atomic
def wish_plan(experiment: Experiment, wishes: Mapping[str, Any], *, actor: str, at: datetime) -> Criteria:
    """What the plan is to be, before the start; answers it completed. Raises InvalidPlan, also after the
    start: then it is changed with a reason."""
    locked = Experiment.objects.select_for_update().get(pk=experiment.pk)
    if locked.started_at is not None:
        raise InvalidPlan(_("The experiment has started: change its plan with a reason."))
    criteria = draft_criteria(entrants_of(locked), wishes=wishes, start=at)
    Experiment.objects.filter(pk=locked.pk).update(wishes=dict(wishes))
    audit(actor, "plan.wished", f"experiment:{locked.pk}")
    return criteria


def promise(experiment: Experiment, *, actor: str, now: datetime) -> Plan | None:
    """Freezes the plan at the start. None where there is nothing to compare or to measure, and where the
    start lies in the past: what is planned when the outcome may be known promises nothing."""
    started_at = experiment.started_at
    entrants = entrants_of(experiment)
    if started_at is None or started_at < now - JUST_NOW or experiment.plans.exists():
        return None
    if len(entrants) < 2 or not Metric.objects.filter(archived_at=None).exists():
        return None
    criteria = draft_criteria(entrants, wishes=experiment.wishes, start=started_at)
    return freeze_plan(experiment, criteria, actor=actor, at=now)


@transaction.atomic
def amend_plan(
    experiment: Experiment, wishes: Mapping[str, Any], *, actor: str, at: datetime, reason: str
) -> Plan:
    """A new version: the last one with these wishes instead. Looks before now are not taken again.

    Raises InvalidPlan without a reason, and when the test was decided already.
    """
    Experiment.objects.select_for_update().get(pk=experiment.pk)
    last = current_plan(experiment)
    if last is None:
        raise InvalidPlan(_("This experiment has no plan yet."))
    if not reason.strip():
        raise InvalidPlan(errors=[{"pointer": "/reason", "detail": _("Say why the plan is changed.")}])
    if last.next_look_at is None:
        raise InvalidPlan(_("The test has been decided; its plan stays as it was."))
    start = start_of(last)
    kept = {key: value for key, value in last.terms.items() if key in WISHES}
    if "length_days" in wishes and "looks" not in wishes:
        kept.pop("looks")
    if {"length_days", "looks", "method"} & set(wishes) and "min_days" not in wishes:
        kept.pop("min_days")
    if wishes.get("method", last.terms["method"]) != last.terms["method"]:
        kept.pop("looks", None)
    criteria = draft_criteria(entrants_of(experiment), wishes={**kept, **wishes}, start=start)
    Plan.objects.filter(pk=last.pk).update(next_look_at=None)
    return _store(
        experiment, criteria, version=last.version + 1, actor=actor, at=at, reason=reason.strip()[:500]
    )


def current_plan(experiment: Experiment) -> Plan | None:
    return experiment.plans.order_by("-version").first()


def criteria_of(plan: Plan) -> Criteria:
    terms = {key: value for key, value in plan.terms.items() if key in WISHES}
    return make_criteria(
        direction=plan.terms["direction"],
        **{
            **terms,
            "looks": tuple(terms["looks"]),
            "method": Method(terms["method"]),
            "guardrails": tuple(Guardrail(**guardrail) for guardrail in terms["guardrails"]),
        },
    )


def start_of(plan: Plan) -> datetime:
    """From when on the days of the test are counted."""
    if plan.experiment.started_at is not None:
        return plan.experiment.started_at
    first = plan.experiment.plans.order_by("version").first()
    assert first is not None
    return first.made_at


def definition_of(metric: Metric) -> dict[str, Any]:
    """What a metric asks; its name and its place in lists may change without harm."""
    fields = model_to_dict(metric, exclude=["id", *NOT_ASKED])
    return {name: value if isinstance(value, int | None) else str(value) for name, value in fields.items()}


def _store(
    experiment: Experiment, criteria: Criteria, *, version: int, actor: str, at: datetime, reason: str
) -> Plan:
    keys = [criteria.metric, *(guardrail.metric for guardrail in criteria.guardrails)]
    definitions = {metric.key: definition_of(metric) for metric in Metric.objects.filter(key__in=keys)}
    plan = Plan.objects.create(
        experiment=experiment, version=version, terms={**asdict(criteria), "metrics": definitions},
        made_by=actor, made_at=at, reason=reason,
    )  # fmt: skip
    Plan.objects.filter(pk=plan.pk).update(next_look_at=first_look_at(plan, criteria))
    plan.refresh_from_db()
    audit(
        actor, "plan.made" if version == 1 else "plan.changed", f"experiment:{experiment.pk}", version=version
    )
    return plan


def first_look_at(plan: Plan, criteria: Criteria) -> datetime | None:
    """Of a changed plan, the first that lies after the change."""
    times = look_times(criteria, start_of(plan))
    return next((at for at in times if at > plan.made_at or plan.version == 1), times[-1])


def look_times(criteria: Criteria, start: datetime) -> list[datetime]:
    """When the clock looks. An always-valid test may be looked at whenever one likes: 48 times will do."""
    shares = criteria.looks
    if criteria.method is Method.ALWAYS_VALID:
        shares = tuple((number + 1) / 48 for number in range(48))
    return [start + timedelta(days=criteria.length_days * share) for share in shares]
