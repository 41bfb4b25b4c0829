"""Steering a run: pause, resume, cancel, retry, change of rate. All exact, whatever workers do meanwhile."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from campaigns import ledger
from campaigns.errors import InvalidState
from campaigns.models import Chunk, ChunkStatus, Delivery, DeliveryStatus, Run, RunStatus
from campaigns.pacing.words import checked_rate
from campaigns.rollout.waves import drop_waves
from campaigns.rollout.winner import drop_rest
from personalization.access.services import audit


def pause(run: Run, *, actor: str) -> None:
    """Nobody claims a chunk any more, and a worker in the middle of one stops within a second."""
    _switch(run, {RunStatus.SENDING}, RunStatus.PAUSED, actor=actor, action="run.paused")


def resume(run: Run, *, actor: str) -> None:
    _switch(run, {RunStatus.PAUSED}, RunStatus.SENDING, actor=actor, action="run.resumed")


@transaction.atomic
def close(run: Run, *, actor: str) -> None:
    """A standing run takes nobody in any more; whoever waits is still sent to. Raises InvalidState."""
    changed = Run.objects.filter(pk=run.pk, is_standing=True).update(is_standing=False)
    if not changed:
        raise InvalidState(_("Only a standing run can be closed."))
    run.is_standing = False
    _close_tests(run)
    audit(actor, "run.closed", f"run:{run.pk}")


def _close_tests(run: Run) -> None:
    beside = Run.everything.filter(campaign=run.campaign_id, number=run.number, is_test=True)
    beside.update(is_standing=False)


@transaction.atomic
def cancel(run: Run, *, actor: str) -> int:
    """Ends the run; whoever still waits gets nothing. Answers how many, apart from chunks in workers' hands:
    those stop within a second and are closed by their worker, or by the tick when it died."""
    _switch(
        run,
        {RunStatus.SENDING, RunStatus.PAUSED},
        RunStatus.CANCELED,
        actor=actor,
        action="run.canceled",
        finished_at=timezone.now(),
    )
    free = list(
        Chunk.objects.select_for_update()
        .filter(run=run, status=ChunkStatus.FREE)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    skipped = ledger.skip_pending(free)
    Chunk.objects.filter(pk__in=free).update(status=ChunkStatus.DONE)
    drop_waves(run)
    _close_tests(run)
    return skipped + drop_rest(run)


@transaction.atomic
def retry_failed(run: Run, *, actor: str) -> int:
    """Puts failed deliveries back in line; answers how many. Those that may have arrived stay as they are.

    Raises InvalidState for a canceled run.
    """
    locked = Run.objects.select_for_update().get(pk=run.pk)
    if locked.status == RunStatus.CANCELED:
        raise InvalidState(_("A canceled run stays canceled."))
    failed = Delivery.objects.filter(run=run, status=DeliveryStatus.FAILED)
    chunk_ids = list(failed.values_list("chunk_id", flat=True).distinct())
    # A chunk in a worker's hands keeps its failed ones; they can be put back once it is settled.
    chunk_ids = list(
        Chunk.objects.select_for_update()
        .filter(pk__in=chunk_ids)
        .exclude(status=ChunkStatus.CLAIMED)
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    retried = failed.filter(chunk_id__in=chunk_ids).update(
        status=DeliveryStatus.PENDING, reason="", detail=""
    )
    if retried:
        Chunk.objects.filter(pk__in=chunk_ids).update(
            status=ChunkStatus.FREE, due_at=timezone.now(), queued_until=None
        )
        if locked.status == RunStatus.FINISHED:
            Run.objects.filter(pk=run.pk).update(status=RunStatus.SENDING, finished_at=None)
    audit(actor, "run.retried", f"run:{run.pk}", deliveries=retried)
    return retried


@transaction.atomic
def _switch(
    run: Run, allowed: set[str], to: str, *, actor: str, action: str, finished_at: datetime | None = None
) -> None:
    """Compare-and-set of a run's status. Raises InvalidState."""
    changed = Run.objects.filter(pk=run.pk, status__in=allowed).update(
        status=to, finished_at=finished_at, note=""
    )
    if not changed:
        raise InvalidState(_("The run is no longer in a state in which this can be done."))
    run.status = to
    audit(actor, action, f"run:{run.pk}")


@transaction.atomic
def change_rate(run: Run, *, per_second: object, actor: str) -> None:
    """Sends slower or faster from now on; None or an empty text: as fast as it goes. A worker in the middle
    of a chunk follows within a second, and nobody is left out or written to twice for it.

    Raises InvalidCampaign for what is no rate, and InvalidState for a run that has ended.
    """
    rate = checked_rate(per_second)
    locked = Run.objects.select_for_update().get(pk=run.pk)
    if locked.status not in {RunStatus.SENDING, RunStatus.PAUSED}:
        raise InvalidState(_("The run is no longer in a state in which this can be done."))
    before, locked.per_second = locked.per_second, rate
    locked.save(update_fields=["per_second"])
    run.per_second = rate
    audit(actor, "run.rate_changed", f"run:{run.pk}", before=before, per_second=rate)
