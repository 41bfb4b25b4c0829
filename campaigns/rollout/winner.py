"""The automatic winner: the rest of an audience waits in the ledger until the test has spoken.

Truth is in rows: a plan says when to look, a look is recorded together with what follows from it, in one
transaction. A clock that dies anywhere has changed nothing; two clocks at once decide once.
"""

from datetime import datetime, timedelta
from typing import cast

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from campaigns import selectors
from campaigns.errors import InvalidState
from campaigns.ledger import CHUNK_SIZE
from campaigns.models import (
    Delivery,
    DeliveryStatus,
    Rollout,
    RolloutStatus,
    Run,
    SkipReason,
)
from campaigns.planning.competing import draft_plan, entrants_of
from experiments import decisions
from experiments.decisions import Winner, winner_of
from experiments.looks import looks
from experiments.models import Plan
from experiments.plans.plan import criteria_of, freeze_plan
from personalization.access.services import audit

CLOCK = "clock"
BY_HAND = "by_hand"
# A look that was handed to the broker and not taken by then is handed over again.
QUEUED = timedelta(minutes=2)


def promise(run: Run, *, actor: str, now: datetime) -> None:
    """Freezes the plan at the launch, and lets the rest of the audience wait for it."""
    campaign = run.campaign
    criteria = draft_plan(campaign, entrants_of(campaign), start=now)
    if criteria is not None:
        freeze_plan(run.experiment, criteria, actor=actor, at=now)
    if campaign.test_share < 1:
        Rollout.objects.create(run=run, fallback=campaign.fallback)


def take_due_plans(*, now: datetime | None = None, limit: int = 20) -> list[int]:
    """Ids of plans whose look is due; each is marked, so that the next tick does not hand it over again."""
    now = now or timezone.now()
    with transaction.atomic():
        due = Plan.objects.filter(next_look_at__lte=now).exclude(queued_until__gt=now)
        ids = list(
            due.select_for_update(skip_locked=True)
            .order_by("next_look_at", "pk")
            .values_list("pk", flat=True)[:limit]
        )
        Plan.objects.filter(pk__in=ids).update(queued_until=now + QUEUED)
    return ids


def take_look(plan_id: int, *, now: datetime | None = None) -> looks.Judgement | None:
    """Takes the look that is due and does what follows. None when nothing was due or another was faster.

    What is long, the analysis, happens before anything is locked: it gives the same answer whoever does it.
    """
    now = now or timezone.now()
    plan = Plan.objects.select_related("experiment").get(pk=plan_id)
    due = looks.due_look(plan, now=now)
    if due is None:
        return None
    judgement = looks.judge_look(plan, *due, stages=selectors.stages(plan.experiment))
    with transaction.atomic():
        rollouts = _lock(plan)
        if not looks.record_look(judgement, now=now):
            return None
        for rollout in rollouts:
            winner = winner_of(
                criteria_of(plan),
                judgement.decision,
                judgement.challengers,
                fallback=cast(decisions.Fallback, rollout.fallback),
            )
            if winner is not None:
                _roll_out(rollout, winner, code=judgement.decision.code.value, actor=CLOCK, now=now)
    return judgement


@transaction.atomic
def decide_by_hand(run: Run, *, variant: str | None, actor: str, now: datetime | None = None) -> Rollout:
    """A person chooses for the rest; None: nothing for them. The promised error rate does not cover this.

    Raises InvalidState when nothing waits or there is no such message.
    """
    if variant is not None and variant not in run.content["variants"]:
        raise InvalidState(_("There is no variant “%(key)s” in this campaign.") % {"key": variant})
    Run.objects.select_for_update(no_key=True).get(pk=run.pk)
    rollout = Rollout.objects.select_for_update().filter(run=run, status=RolloutStatus.WAITING).first()
    if rollout is None:
        raise InvalidState(_("Nobody waits for a winner in this run."))
    _roll_out(rollout, Winner(variant, False), code=BY_HAND, actor=actor, now=now or timezone.now())
    return rollout


def drop_rest(run: Run) -> int:
    """The rest of a canceled run gets nothing; answers how many. Inside the caller's transaction."""
    Rollout.objects.filter(run=run, status=RolloutStatus.WAITING).update(
        status=RolloutStatus.CANCELED, decided_at=timezone.now()
    )
    return _waiting(run).update(status=DeliveryStatus.SKIPPED, reason=SkipReason.CANCELED)


def _lock(plan: Plan) -> list[Rollout]:
    # The run first, as pause, cancel and a worker's release do it: the second sees what the first did.
    runs = Run.objects.filter(experiment=plan.experiment).order_by("pk")
    ids = list(runs.select_for_update(no_key=True).values_list("pk", flat=True))
    waiting = Rollout.objects.filter(run__in=ids, status=RolloutStatus.WAITING)
    return list(waiting.select_for_update(of=("self",)).select_related("run").order_by("pk"))


def _waiting(run: Run) -> QuerySet[Delivery]:
    return Delivery.objects.filter(run=run, is_rest=True, chunk=None, status=DeliveryStatus.PENDING)


def _roll_out(rollout: Rollout, winner: Winner, *, code: str, actor: str, now: datetime) -> None:
    run = rollout.run
    chosen = run.experiment.variants.filter(key=winner.variant or "", is_control=False).first()
    rollout.status, rollout.decided_at, rollout.decided_by = RolloutStatus.DECIDED, now, actor
    rollout.variant, rollout.code, rollout.is_fallback = chosen, code, winner.is_fallback
    rollout.save()
    if chosen is None:
        rest = _waiting(run).update(status=DeliveryStatus.SKIPPED, reason=SkipReason.NO_WINNER)
    else:
        with connection.cursor() as cursor:
            cursor.execute(_CHUNKS, {"run": run.pk, "variant": chosen.pk, "size": CHUNK_SIZE, "now": now})
            rest = cursor.rowcount
    audit(
        actor, "run.winner", f"run:{run.pk}",
        variant=chosen.key if chosen else None, code=code, fallback=winner.is_fallback, rest=rest,
    )  # fmt: skip


_CHUNKS = """
    WITH waiting AS (
        SELECT id, (row_number() OVER (ORDER BY id) - 1) / %(size)s
            + (SELECT coalesce(max(number) + 1, 0) FROM campaigns_chunk WHERE run_id = %(run)s) AS number
        FROM campaigns_delivery
        WHERE run_id = %(run)s AND is_rest AND chunk_id IS NULL AND status = 'pending'
    ), made AS (
        INSERT INTO campaigns_chunk (run_id, number, status, lease_owner, due_at, attempts)
        SELECT DISTINCT %(run)s, number, 'free', '', %(now)s::timestamptz, 0 FROM waiting
        RETURNING id, number
    )
    UPDATE campaigns_delivery AS d SET chunk_id = made.id, variant_id = %(variant)s
    FROM waiting JOIN made ON made.number = waiting.number
    WHERE d.id = waiting.id
"""
