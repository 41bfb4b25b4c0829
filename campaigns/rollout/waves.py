"""Sending in waves: the first by fixed shares, each later one by what earlier customers did until then.

As with the winner, truth is in rows: who waits stands in the ledger, the clock is a row, and a wave's draws,
deliveries and the clock are written in one transaction. A worker that dies anywhere has changed nothing.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import connection, transaction
from django.utils import timezone

from campaigns.learning_plan import metric_of, read_plan
from campaigns.ledger import CHUNK_SIZE
from campaigns.models import Campaign, Delivery, DeliveryStatus, Learning, LearningStatus, Run, RunStatus
from experiments.bandits import uniform_draws
from experiments.errors import NotPossible
from experiments.models import Allocation, Experiment
from experiments.personalizing import Assigned, assign_learned, assign_personalized
from experiments.services import assign
from experiments.traffic.rules import hash_values
from personalization.access.services import audit

log = structlog.get_logger(__name__)
QUEUED = timedelta(minutes=2)
MAX_WAVES, MAX_HOURS = 30, 24.0 * 14


def first_wave(
    experiment: Experiment, campaign: Campaign, customer_ids: Sequence[int], *, at: datetime
) -> Assigned:
    """The first wave is assigned by fixed shares; who waits is answered (None, 1.0)."""
    waves = read_plan(campaign.learning).waves
    first = _chosen(experiment, customer_ids, wave=0, share=1 / waves)
    waiting: Assigned = dict.fromkeys((pk for pk in customer_ids if pk not in first), (None, 1.0))
    return waiting | assign(experiment, sorted(first), at=at)


def start_clock(run: Run, *, now: datetime) -> None:
    plan = read_plan(run.campaign.learning)
    sent = Delivery.objects.filter(run=run, variant__isnull=False).count()
    Learning.objects.create(
        run=run, metric=metric_of(plan), waves=plan.waves, hours=plan.hours, floor=plan.floor,
        next_at=now + timedelta(hours=plan.hours),
        log=[{"wave": 0, "at": now.isoformat(), "customers": sent}],
    )  # fmt: skip


def take_due(*, now: datetime | None = None, limit: int = 20) -> list[int]:
    """Ids of learning runs whose wave is due; each is marked, so that the next tick does not hand it over
    again."""
    now = now or timezone.now()
    with transaction.atomic():
        due = Learning.objects.filter(status=LearningStatus.WAITING, next_at__lte=now)
        due = due.filter(run__status=RunStatus.SENDING).exclude(queued_until__gt=now)
        ids = list(
            due.select_for_update(skip_locked=True, of=("self",))
            .order_by("next_at")
            .values_list("pk", flat=True)[:limit]
        )
        Learning.objects.filter(pk__in=ids).update(queued_until=now + QUEUED)
    return ids


@transaction.atomic
def send_wave(learning_id: int, *, now: datetime | None = None) -> int:
    """Draws the next wave and hands it to the senders; how many messages. 0 when none was due."""
    now = now or timezone.now()
    found = Learning.objects.select_related("run__experiment", "metric").get(pk=learning_id)
    # The run first, as pause, cancel and a worker's release do it: the second sees what the first did.
    run = Run.objects.select_for_update(no_key=True).select_related("experiment").get(pk=found.run_id)
    found = Learning.objects.select_for_update(of=("self",)).select_related("metric").get(pk=learning_id)
    if found.status != LearningStatus.WAITING or found.next_at > now or run.status != RunStatus.SENDING:
        return 0
    wave = found.next_wave
    waiting = list(
        Delivery.objects.filter(run=run, is_rest=True, chunk=None, status=DeliveryStatus.PENDING)
        .exclude(customer=None)
        .values_list("customer_id", flat=True)
    )
    chosen = sorted(_chosen(run.experiment, waiting, wave=wave, share=1 / (found.waves - wave)))
    assigned = _assign(run.experiment, chosen, found, wave=wave, at=now)
    sent = _write(run, assigned, now=now)
    found.log = [*found.log, _line(run.experiment, wave, assigned, now)]
    found.next_wave, found.queued_until = wave + 1, None
    found.next_at = now + timedelta(hours=found.hours)
    if found.next_wave >= found.waves:
        found.status = LearningStatus.DONE
    found.save()
    audit("clock", "run.wave", f"run:{run.pk}", wave=wave, customers=len(assigned))
    return sent


def drop_waves(run: Run) -> None:
    """A canceled run sends no more waves. Inside the caller's transaction."""
    Learning.objects.filter(run=run, status=LearningStatus.WAITING).update(status=LearningStatus.CANCELED)


def _assign(
    experiment: Experiment, customer_ids: Sequence[int], found: Learning, *, wave: int, at: datetime
) -> Assigned:
    asked: dict[str, Any] = {
        "metric": found.metric, "at": at, "floor": found.floor, "within": timedelta(hours=found.hours),
        # Another seed than that of who is in the wave: its draws lie on one side.
        "seed": f"draw:{wave}",
    }  # fmt: skip
    try:
        if experiment.allocation == Allocation.PERSONAL:
            return assign_personalized(experiment, customer_ids, learn_from=experiment, **asked)
        return assign_learned(experiment, customer_ids, **asked)
    except NotPossible as error:
        # Nothing was learned (no traits, nobody's time is over): then the fixed shares, whose chances are
        # known.
        log.warning("wave_without_learning", experiment=experiment.pk, reason=str(error.detail))
        return assign(experiment, customer_ids, at=at)


def _chosen(experiment: Experiment, customer_ids: Sequence[int], *, wave: int, share: float) -> set[int]:
    """Those of the customers that are in this wave, by hash: anybody comes to the same."""
    values = hash_values(customer_ids)
    if share >= 1 or not values:
        return set(values)
    draws = uniform_draws(f"{experiment.key}:wave:{wave}", list(values.values()))
    return {pk for pk, draw in zip(values, draws.tolist(), strict=True) if draw < share}


def _write(run: Run, assigned: Assigned, *, now: datetime) -> int:
    """Deliveries of the wave: variant and chance for all, chunks for those who get a message."""
    control = run.experiment.variants.filter(is_control=True).values_list("pk", flat=True).first()
    rows = [(pk, variant, chance) for pk, (variant, chance) in assigned.items() if variant is not None]
    if not rows:
        return 0
    customers, variants, chances = (list(column) for column in zip(*rows, strict=True))
    with connection.cursor() as cursor:
        given: dict[str, Any] = {
            "run": run.pk, "customers": customers, "variants": variants, "chances": chances,
            "control": control, "size": CHUNK_SIZE, "now": now,
        }  # fmt: skip
        cursor.execute(_DRAWN, given)
        cursor.execute(_CHUNKS, given)
        return int(cursor.rowcount)


def _line(experiment: Experiment, wave: int, assigned: Assigned, now: datetime) -> dict[str, Any]:
    keys = dict(experiment.variants.values_list("pk", "key"))
    counts = dict.fromkeys(keys.values(), 0)
    for variant, _chance in assigned.values():
        if variant is not None:
            counts[keys[variant]] += 1
    return {"wave": wave, "at": now.isoformat(), "customers": len(assigned), "drawn": counts}


_DRAWN = """
    UPDATE campaigns_delivery AS d SET variant_id = n.variant, propensity = n.chance, is_rest = false,
        status = CASE WHEN n.variant = %(control)s THEN 'skipped' ELSE d.status END,
        reason = CASE WHEN n.variant = %(control)s THEN 'control' ELSE d.reason END
    FROM unnest(%(customers)s::bigint[], %(variants)s::bigint[], %(chances)s::float8[])
        AS n(customer, variant, chance)
    WHERE d.run_id = %(run)s AND d.customer_id = n.customer AND d.is_rest AND d.chunk_id IS NULL
        AND d.status = 'pending'
"""
_CHUNKS = """
    WITH drawn AS (
        SELECT id, (row_number() OVER (ORDER BY id) - 1) / %(size)s
            + (SELECT coalesce(max(number) + 1, 0) FROM campaigns_chunk WHERE run_id = %(run)s) AS number
        FROM campaigns_delivery
        WHERE run_id = %(run)s AND NOT is_rest AND chunk_id IS NULL AND status = 'pending'
            AND variant_id IS NOT NULL
    ), made AS (
        INSERT INTO campaigns_chunk (run_id, number, status, lease_owner, due_at, attempts)
        SELECT DISTINCT %(run)s, number, 'free', '', %(now)s::timestamptz, 0 FROM drawn
        RETURNING id, number
    )
    UPDATE campaigns_delivery AS d SET chunk_id = made.id
    FROM drawn JOIN made ON made.number = drawn.number
    WHERE d.id = drawn.id
"""
