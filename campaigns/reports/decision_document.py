"""Plan, looks, decision and what the rest gets, as one document and as sentences."""

from typing import Any

from django.utils.translation import gettext as _

from campaigns import selectors
from campaigns.models import Rollout, RolloutStatus, Run
from campaigns.rollout.winner import BY_HAND
from experiments.decisions import Code
from experiments.looks import decision_document as experiments
from personalization.access.actors import actor_labels


def decision_document_of(run: Run) -> dict[str, Any]:
    found = experiments.decision_document_of(run.experiment, stages=selectors.stages(run.experiment))
    return {**found, "rest": _rest(run)}


def decision_context(run: Run) -> dict[str, Any]:
    """For the decision's part of the report. Without a plan, or while messages are counted, nothing is said
    of the test; whoever may choose for the rest need not wait for that."""
    stages = selectors.recent_stages(run.experiment)
    found = None if stages is None else experiments.decision_card(run.experiment, stages=stages)
    rollout = Rollout.objects.filter(run=run).select_related("variant").first()
    waits = rollout is not None and rollout.status == RolloutStatus.WAITING
    if found is None and not waits:
        return {"decision": None}
    return {
        "decision": {
            "action": "go_on",
            **(found or {}),
            "rest": rest_sentence(rollout) if rollout else "",
            "waits": waits,
            "messages": [(key, content["name"]) for key, content in run.content["variants"].items()],
        }
    }


def rest_sentence(rollout: Rollout) -> str:
    who = actor_labels([rollout.decided_by])[rollout.decided_by]
    facts = {"variant": rollout.variant.name if rollout.variant else "", "who": who}
    if rollout.status == RolloutStatus.WAITING:
        return _("The rest of the audience waits for the winner.")
    if rollout.status == RolloutStatus.CANCELED:
        return _("The run was canceled, so the rest got nothing.")
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
