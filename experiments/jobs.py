"""Rows whose contents a worker makes: taken by one, ended with what was found or why not."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

import structlog
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from experiments.models import JobStatus
from experiments.models.background import Job
from personalization.access.problems import ProblemError

log = structlog.get_logger(__name__)
LEASE = timedelta(minutes=30)
# A task that was handed to the broker and not begun by then is handed over again.
QUEUED = timedelta(seconds=20)
Row = TypeVar("Row", bound=Job)


def run_job(model: type[Row], pk: int, work: Callable[[Row], dict[str, Any]]) -> bool:
    """Does the work unless it is done or another is at it, and writes the fields that it answers. Never
    raises for what went wrong in it: the row says it."""
    now = timezone.now()
    free = Q(status=JobStatus.QUEUED) | Q(status=JobStatus.RUNNING, lease_until__lt=now)
    rows = model._default_manager.filter(pk=pk)
    if not rows.filter(free).update(status=JobStatus.RUNNING, lease_until=now + LEASE):
        return False
    try:
        fields = work(rows.get())
    except Exception as error:
        log.exception("job_failed", job=model._meta.label, id=pk)
        rows.update(status=JobStatus.FAILED, error=said(error), lease_until=None)
    else:
        rows.update(status=JobStatus.DONE, error="", lease_until=None, **fields)
    return True


def lost_jobs(model: type[Job], *, now: datetime | None = None) -> list[int]:
    """Those that wait although nobody may know: their task was lost, or their worker died."""
    now = now or timezone.now()
    waiting = Q(status=JobStatus.QUEUED, created_at__lt=now - QUEUED)
    dead = Q(status=JobStatus.RUNNING, lease_until__lt=now)
    found = model._default_manager.filter(waiting | dead).order_by("pk")
    return list(found.values_list("pk", flat=True)[:50])


def said(error: Exception) -> str:
    if isinstance(error, ProblemError):
        return str(error.detail or error.title)[:500]
    # Messages of libraries and databases may quote rows: only the log has them.
    return _("An error that nobody expected ended it (%(name)s); the worker's log says more.") % {
        "name": type(error).__name__
    }
