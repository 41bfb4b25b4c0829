"""Sending in waves: the first by fixed shares, each later one by what earlier customers did until then.

As with the winner, truth is in rows: who waits stands in the ledger, the clock is a row, and a wave's draws,
deliveries and the clock are written in one transaction. A worker that dies anywhere has changed nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from campaigns.errors import InvalidCampaign
from campaigns.ledger import CHUNK_SIZE
from campaigns.models import Campaign, Delivery, DeliveryStatus, Learning, LearningStatus, Run, RunStatus
from experiments.bandits import uniform_draws
from experiments.errors import NotPossible
from experiments.models import Allocation, Experiment, Metric, MetricScope
from experiments.personalizing import Assigned, assign_learned, assign_personalized
from experiments.services import assign
from experiments.sums.outcomes import is_one_number
from experiments.traffic.rules import hash_values
from personalization.access.services import audit

log = structlog.get_logger(__name__)
QUEUED = timedelta(minutes=2)
MAX_WAVES, MAX_HOURS = 30, 24.0 * 14


@dataclass(frozen=True)
class LearningPlan:
    """`metric` is a key, None for the first that suits; `hours` between waves is also how long an outcome may
    take to be learned from; `floor` is the least chance of each message among the messages."""

    metric: str | None = None
    waves: int = 4
    hours: float = 24.0
    floor: float = 0.1


def read_plan(learning: Mapping[str, Any]) -> LearningPlan:
    """Raises InvalidCampaign for what is no plan."""
    unknown = set(learning) - {"metric", "waves", "hours", "floor"}
    given = {key: value for key, value in learning.items() if value not in (None, "")}
    try:
        plan = LearningPlan(
            given.get("metric"), int(given.get("waves", 4)), float(given.get("hours", 24.0)),
            float(given.get("floor", 0.1)),
        )  # fmt: skip
    except (TypeError, ValueError):
        raise _invalid("", _("Waves, hours and floor must be numbers.")) from None
    if unknown:
        raise _invalid("", _("There is no such part: %(names)s.") % {"names": ", ".join(sorted(unknown))})
    if not 2 <= plan.waves <= MAX_WAVES:
        raise _invalid("waves", _("There are 2 to %(n)s waves.") % {"n": MAX_WAVES})
    if not 1 <= plan.hours <= MAX_HOURS:
        raise _invalid("hours", _("Between two waves lie 1 to %(n)s hours.") % {"n": f"{MAX_HOURS:g}"})
    return plan


def check_allocation(
    allocation: str, learning: Mapping[str, Any], *, messages: int, test_share: float, is_broadcast: bool
) -> None:
    """Raises InvalidCampaign with what to do."""
    if allocation not in Allocation.values:
        detail = _("Choose fixed, learning or personal.")
        raise InvalidCampaign(detail, errors=[{"pointer": "/allocation", "detail": detail}])
    if allocation == Allocation.FIXED:
        return
    plan = read_plan(learning)
    if not is_broadcast:
        raise _invalid("", _("A triggered campaign has no waves: choose fixed shares."))
    if messages < 2:
        raise _invalid("", _("There is nothing to learn with one variant: add another."))
    if test_share < 1:
        raise _invalid("", _("Learning while sending needs the whole audience: set the test share to 100 %."))
    if not 0 < plan.floor * messages <= 1:
        raise _invalid(
            "floor",
            _("Every message keeps a chance above 0, at most %(most)s with so many messages.")
            % {"most": f"{1 / messages:.2f}"},
        )
    metric_of(plan)


def metric_of(plan: LearningPlan) -> Metric:
    """What is learned from: quick outcomes teach sooner. Raises InvalidCampaign."""
    usable = [one for one in Metric.objects.filter(archived_at=None) if is_one_number(one)]
    if plan.metric:
        found = next((one for one in usable if one.key == plan.metric), None)
        if found is None:
            raise _invalid(
                "metric", _("Choose a metric that is one number per customer: no ratio and no quantile.")
            )
        return found
    quick = [one for one in usable if one.scope == MetricScope.EXPERIMENT and one.direction == "up"]
    if not usable:
        raise _invalid("metric", _("Define a metric first: without one nothing can be learned."))
    # Clicks rather than opens, which machines make too.
    return next((one for one in quick if one.event == "Message Clicked"), (quick or usable)[0])


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
    """A cancelled run sends no more waves. Inside the caller's transaction."""
    Learning.objects.filter(run=run, status=LearningStatus.WAITING).update(status=LearningStatus.CANCELLED)


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


def _invalid(part: str, detail: str) -> InvalidCampaign:
    pointer = f"/learning/{part}" if part else "/allocation"
    return InvalidCampaign(detail, errors=[{"pointer": pointer, "detail": detail}])


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
