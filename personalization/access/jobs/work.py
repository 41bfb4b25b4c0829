"""One worker makes what a row asks for: taken by one, ended with what was found or why not.

A thread beside the work writes once a second how far it is and asks whether it goes on. It has a connection
of its own, so the work itself may be one transaction, also one that is taken back at the end.
"""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, TypeVar

import structlog
from django.db import DatabaseError, connection, transaction
from django.db.models import Q
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop
from kombu.exceptions import OperationalError

from personalization.access.jobs.lease import Lease, WorkersDied
from personalization.access.jobs.row import UNDER_WAY, Job, JobStatus
from personalization.access.kept_words import keep, tell
from personalization.access.problems import ProblemError
from personalization.access.services import audit

log = structlog.get_logger(__name__)
EVERY_SECONDS = 1.0
# A worker that gave no sign of life for so long is dead.
LEASE = timedelta(minutes=1)
# A task that was handed to the broker and not begun by then is handed over again.
QUEUED = timedelta(seconds=20)
Row = TypeVar("Row", bound=Job)
# Hears which share is done. Raises Stopped.
Tell = Callable[[float], None]


def lease_of(model: type[Row]) -> Lease[Row]:
    return Lease(model, JobStatus.QUEUED, JobStatus.RUNNING, LEASE)


def nobody_listens(_share: float) -> None: ...


def part_of(tell: Tell, start: float, stop: float) -> Tell:
    """For a part of the work, which hears of shares of itself."""
    return lambda share: tell(start + (stop - start) * share)


class Stopped(Exception):
    """Canceled, or continued by another worker."""


class NotUnderWay(ProblemError):
    status = 409
    slug = "not-under-way"
    title = gettext_lazy("It has ended already")


def run_job(model: type[Row], pk: int, work: Callable[[Row, Tell], dict[str, Any]]) -> bool:
    """Does the work unless it is done or another is at it, and writes the fields that it answers. Never
    raises for what went wrong in it: the row says it."""
    lease, now = lease_of(model), timezone.now()
    row = lease.take(pk, lease.due(now), now=now, started_at=now, share_done=0)
    if row is None:
        return False
    with translation.override(row.language), Pulse(row, lease) as pulse:
        try:
            lease.check(row)
            fields = work(row, pulse.tell)
        except Stopped:
            log.info("job_stopped", job=model._meta.label, id=pk)
        except Exception as error:
            log.exception("job_failed", job=model._meta.label, id=pk)
            lease.end(row, JobStatus.FAILED, finished_at=timezone.now(), error=said(error))
        else:
            done = {"finished_at": timezone.now(), "error": "", "share_done": 1.0, **fields}
            lease.end(row, JobStatus.DONE, **done)
    return True


@transaction.atomic
def cancel_job(row: Job, *, kind: str, actor: str) -> None:
    """Ends it after the step under way; nothing is kept of it. Raises NotUnderWay."""
    own = type(row)._default_manager.filter(pk=row.pk, status__in=UNDER_WAY)
    if not own.update(status=JobStatus.CANCELED, finished_at=timezone.now(), lease_until=None):
        raise NotUnderWay(_("There is nothing left to cancel."))
    audit(actor, f"{kind}.canceled", f"{kind}:{row.pk}")
    row.refresh_from_db()


def lost_jobs(model: type[Job], *, now: datetime | None = None) -> list[int]:
    """Those that wait although nobody may know: their task was lost, or their worker died."""
    now = now or timezone.now()
    waiting = Q(status=JobStatus.QUEUED, created_at__lt=now - QUEUED)
    found = model._default_manager.filter(waiting | lease_of(model).left(now)).order_by("pk")
    return list(found.values_list("pk", flat=True)[:50])


def hand_over(task: Any, row_id: int) -> None:
    """To a worker, once the row is committed. Without a broker the clock does it later."""
    transaction.on_commit(lambda: _hand_over(task, row_id))


def said(error: Exception) -> str:
    """In the language of now, which is that of who asked."""
    if isinstance(error, ProblemError):
        return " ".join([str(error.detail or error.title), *_others(error)])[:500]
    return tell(kept(error))


def kept(error: Exception) -> str:
    """For work that nobody asked for, or somebody else every time: see `kept_words`."""
    if isinstance(error, WorkersDied):
        return str(error)
    # Messages of libraries and databases may quote rows: only the log has them.
    return keep(
        gettext_noop("An error that nobody expected ended it (%(name)s); the worker's log says more."),
        name=type(error).__name__,
    )


def _others(error: ProblemError) -> list[str]:
    return [one["detail"] for one in error.errors if one["detail"] not in error.detail]


class Pulse:
    """Beats as long as the worker lives: keeps the lease, writes the share, hears of the end."""

    def __init__(self, row: Job, lease: Lease[Any]) -> None:
        self._row, self._lease, self._share = row, lease, 0.0
        self._is_over, self._is_lost = threading.Event(), False
        self._thread = threading.Thread(target=self._run, name="pulse", daemon=True)

    def tell(self, share: float) -> None:
        self._share = min(max(share, 0.0), 1.0)
        if self._is_lost:
            raise Stopped

    def __enter__(self) -> "Pulse":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._is_over.wait(EVERY_SECONDS):
            try:
                self._beat()
            except DatabaseError:  # it restarts: the lease outlasts that
                log.warning("job_not_told", job=self._row._meta.label, id=self._row.pk, exc_info=True)
        connection.close()

    def _beat(self) -> None:
        if not self._lease.keep(self._row, share_done=self._share):
            # Of a row that is gone altogether only the work is lost.
            self._is_lost = type(self._row)._default_manager.filter(pk=self._row.pk).exists()


def _hand_over(task: Any, row_id: int) -> None:
    try:
        task.delay(row_id)
    except OperationalError:
        log.warning("broker_unreachable")
