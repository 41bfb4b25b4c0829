"""Plan, looks, decision and what the rest gets, as one document and as sentences."""

from datetime import datetime
from typing import Any

from django.utils import formats, timezone
from django.utils.translation import gettext as _

from campaigns import selectors
from campaigns.models import Rollout, RolloutStatus, Run
from campaigns.winner import BY_HAND
from experiments import looks
from experiments.decisions import Code, Method
from experiments.models import Metric, Plan
from experiments.plan import current_plan
from experiments.plan_document import plan_document
from experiments.plan_words import explain_decision, explain_guard, name_method


def decision_document_of(run: Run) -> dict[str, Any]:
    plan = current_plan(run.experiment)
    judgement = looks.judge_now(plan, stages=selectors.stages(run.experiment)) if plan else None
    promised = plan_document(run.experiment)
    return {
        "plans": promised["plans"],
        "decision": None
        if judgement is None
        else {
            **looks.decision_document(judgement.decision),
            "sentence": sentence_of(run, judgement),
        },
        "next_look_at": promised["next_look_at"],
        "looks": promised["looks"],
        "rest": _rest(run),
    }


def decision_context(run: Run) -> dict[str, Any]:
    """For the decision's part of the report; without a plan there is none."""
    plan = current_plan(run.experiment)
    rollout = Rollout.objects.filter(run=run).select_related("variant").first()
    if plan is None:
        return {"decision": None}
    judgement = looks.judge_now(plan, stages=selectors.stages(run.experiment))
    versions = list(run.experiment.plans.order_by("version"))
    return {
        "decision": {
            "action": judgement.decision.action.value if judgement else "go_on",
            "sentence": sentence_of(run, judgement)
            if judgement
            else _("The first analysis is under way; until then nothing can be said."),
            "plan": describe_plan(run, plan),
            "plan_made": versions[0],
            "changes": versions[1:],
            "next_look_at": plan.next_look_at,
            "looks": list(plan.taken.order_by("number")),
            "rest": rest_sentence(rollout) if rollout else "",
            "waits": rollout is not None and rollout.status == RolloutStatus.WAITING,
            "messages": [(key, content["name"]) for key, content in run.content["variants"].items()],
        }
    }


def sentence_of(run: Run, judgement: looks.Judgement) -> str:
    decision, plan = judgement.decision, judgement.plan
    following = judgement.next_look_at
    return explain_decision(decision.code) % {
        "variant": name_of(run, decision.variant),
        "metric": metric_name(plan.terms["metric"]),
        "guards": " ".join(explain_guard(guard) for guard in decision.guards),
        "guardrails": ", ".join(f"“{metric_name(key)}”" for key in decision.guardrails),
        "next": _moment(following) if following else "–",
    }


def describe_plan(run: Run, plan: Plan) -> str:
    terms = plan.terms
    facts = {
        "metric": metric_name(terms["metric"]), "baseline": name_of(run, terms["baseline"]),
        "days": f"{terms['length_days']:g}", "method": name_method(Method(terms["method"])),
        "alpha": f"{terms['alpha'] * 100:g}",
        "looks": ", ".join(f"{look * terms['length_days']:g}" for look in terms["looks"]),
        "guardrails": ", ".join(metric_name(g["metric"]) for g in terms["guardrails"]) or _("none"),
    }  # fmt: skip
    if Method(terms["method"]) is Method.GROUP_SEQUENTIAL:
        return (
            _(
                "“%(metric)s” decides against “%(baseline)s”, looked at after %(looks)s days, with at most "
                "%(alpha)s %% false winners. Guardrails: %(guardrails)s."
            )
            % facts
        )
    return (
        _(
            "“%(metric)s” decides against “%(baseline)s” within %(days)s days (%(method)s), with at most "
            "%(alpha)s %% false winners. Guardrails: %(guardrails)s."
        )
        % facts
    )


def rest_sentence(rollout: Rollout) -> str:
    facts = {"variant": rollout.variant.name if rollout.variant else "", "who": rollout.decided_by}
    if rollout.status == RolloutStatus.WAITING:
        return _("The rest of the audience waits for the winner.")
    if rollout.status == RolloutStatus.CANCELLED:
        return _("The run was cancelled, so the rest got nothing.")
    if rollout.variant is None:
        if rollout.code == BY_HAND:
            return _("%(who)s chose that the rest gets nothing.") % facts
        return _("The rest gets nothing.")
    if rollout.code == BY_HAND:
        return (
            _("%(who)s chose “%(variant)s” for the rest; the promised error rate does not cover that.")
            % facts
        )
    if rollout.is_fallback:
        return _("The test could not tell, so the rest gets “%(variant)s”, as was agreed before.") % facts
    if rollout.code == Code.BETTER:
        return _("The rest gets the winner, “%(variant)s”.") % facts
    return _("The rest gets “%(variant)s”, which nothing could beat.") % facts


def name_of(run: Run, key: str | None) -> str:
    if key is None:
        return ""
    variant = run.experiment.variants.filter(key=key).first()
    return variant.name if variant else key


def metric_name(key: str) -> str:
    found = Metric.objects.filter(key=key).values_list("name", flat=True).first()
    return _(found) if found else key


def _rest(run: Run) -> dict[str, Any] | None:
    rollout = Rollout.objects.filter(run=run).select_related("variant").first()
    if rollout is None:
        return None
    return {
        "status": rollout.status, "variant": rollout.variant.key if rollout.variant else None,
        "code": rollout.code, "is_fallback": rollout.is_fallback, "fallback": rollout.fallback,
        "decided_at": rollout.decided_at, "decided_by": rollout.decided_by,
        "sentence": rest_sentence(rollout),
    }  # fmt: skip


def _moment(at: datetime) -> str:
    return formats.date_format(timezone.localtime(at), "DATETIME_FORMAT")
