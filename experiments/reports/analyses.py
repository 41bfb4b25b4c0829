"""The work on an experiment's newest result: asked for by whoever looks, done by one worker at a time.

Truth is in the row: a worker that dies loses its lease and another begins anew; two at once are one. The old
result stays until the new one is there, and stays when the new one fails.
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from time import monotonic

import structlog
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from experiments.breakdowns.breakdown import MAX_CUTS, GroupChoice, Method
from experiments.errors import AnalysisEnded, InvalidGroups
from experiments.models import Analysis, AnalysisStatus, Experiment, Metric
from experiments.reports.findings import as_document, metrics_of, read_findings
from personalization.access.jobs.lease import Lease, Lost
from personalization.access.jobs.work import kept
from personalization.access.services import audit
from personalization.segments.models import Segment

log = structlog.get_logger(__name__)
# A worker that gave no sign of life for so long is dead; one pass over millions of events may take a minute.
LEASE = Lease(
    Analysis, AnalysisStatus.QUEUED, AnalysisStatus.RUNNING, timedelta(minutes=10), unread=("result",)
)
# A task that was handed to the broker and not begun by then is handed over again.
QUEUED = timedelta(seconds=20)
# While somebody looks, a result is made anew when it is older than this, and than twenty times its own cost.
LEAST_AGE = timedelta(seconds=5)
AGE_PER_COST = 20
# After a failure, or once somebody canceled it, nobody asks again by merely looking.
RESTS: dict[str, timedelta] = {
    AnalysisStatus.FAILED: timedelta(minutes=5),
    AnalysisStatus.CANCELED: timedelta(hours=1),
}


def analysis_of(experiment: Experiment) -> Analysis:
    """Its row without the result, which may be large."""
    row, _made = Analysis.objects.defer("result").get_or_create(experiment=experiment)
    return row


def ask(experiment: Experiment, *, now: datetime | None = None, force: bool = False) -> Analysis | None:
    """Asks for a new result; answers the row when the caller must hand it to a worker.

    None when one is under way, or, without `force`, when the newest is fresh enough or the last try failed
    just now.
    """
    now = now or timezone.now()
    analysis_of(experiment)
    with transaction.atomic():
        row = Analysis.objects.defer("result").select_for_update().get(experiment=experiment)
        if row.is_under_way or not (force or is_stale(row, experiment, now)):
            return None
        row.status, row.asked_at, row.error = AnalysisStatus.QUEUED, now, ""
        row.steps_done = row.steps = 0
        row.save(update_fields=["status", "asked_at", "error", "steps_done", "steps"])
    return row


def is_stale(row: Analysis, experiment: Experiment, now: datetime) -> bool:
    rest = RESTS.get(row.status)
    if rest and row.asked_at and now - row.asked_at < rest:
        return False
    if row.as_of is None:
        return True
    least = max(LEAST_AGE, timedelta(seconds=AGE_PER_COST * (row.seconds or 0)))
    return now - row.as_of > least


def choose_groups(
    experiment: Experiment, *, traits: Sequence[str], segments: Sequence[int], metric: str | None,
    method: Method, actor: str, now: datetime | None = None,
) -> GroupChoice:  # fmt: skip
    """Which groups the next results compare; empty lists end it. Raises InvalidGroups."""
    names = tuple(dict.fromkeys(name.strip() for name in traits if name.strip()))
    ids = tuple(dict.fromkeys(segments))
    if len(names) + len(ids) > MAX_CUTS:
        raise InvalidGroups(
            _("Compare by at most %(n)s traits and segments: each more makes all less certain.")
            % {"n": MAX_CUTS}
        )
    if any(len(name) > 100 or "\0" in name for name in names):
        raise InvalidGroups(_("A trait's name has at most 100 characters."))
    if Segment.objects.filter(pk__in=ids).count() < len(ids):
        raise InvalidGroups(_("There is no such segment."))
    if metric and not Metric.objects.filter(key=metric, quantile=None).exists():
        raise InvalidGroups(_("There is no such metric, or it is a quantile, which has no groups."))
    choice = GroupChoice(names, ids, metric or None, method, (now or timezone.now()).isoformat())
    with transaction.atomic():
        row = analysis_of(experiment)
        Analysis.objects.filter(pk=row.pk).update(groups=asdict(choice))
        audit(actor, "experiment.groups", f"experiment:{experiment.key}", groups=len(names) + len(ids))
    return choice


def run(analysis_id: int, *, now: datetime | None = None) -> bool:
    """Makes the new result; False when there was nothing to do or another is at it. Never raises for what
    went wrong in the analysis: the row says it.
    """
    began, at = monotonic(), timezone.now()
    row = LEASE.take(analysis_id, LEASE.due(at), now=at, started_at=at)
    if row is None:
        return False

    def tick(done: int, steps: int) -> None:
        if not LEASE.keep(row, steps_done=done, steps=steps):
            raise Lost

    try:
        LEASE.check(row)
        findings = read_findings(
            row.experiment, metrics_of(row.experiment), now=now or timezone.now(),
            groups=GroupChoice.from_json(row.groups), tick=tick,
        )  # fmt: skip
        result = as_document(findings)
    except Lost:
        log.info("analysis_lost", experiment=row.experiment_id)
    except Exception as error:
        log.exception("analysis_failed", experiment=row.experiment_id)
        LEASE.end(row, AnalysisStatus.FAILED, error=kept(error))
    else:
        LEASE.end(
            row, AnalysisStatus.IDLE, error="", result=result, as_of=findings.as_of,
            seconds=round(monotonic() - began, 3),
        )  # fmt: skip
    return True


@transaction.atomic
def cancel(experiment: Experiment, *, actor: str) -> None:
    """Ends it after the step under way; the newest result stays. Raises AnalysisEnded when there is none."""
    under_way = Analysis.objects.filter(
        experiment=experiment, status__in=(AnalysisStatus.QUEUED, AnalysisStatus.RUNNING)
    )
    if not under_way.update(status=AnalysisStatus.CANCELED, asked_at=timezone.now(), lease_until=None):
        raise AnalysisEnded(_("No analysis is under way."))
    audit(actor, "experiment.analysis_canceled", f"experiment:{experiment.key}")


def lost_ids(*, now: datetime | None = None) -> list[int]:
    """Analyses that wait although nobody may know: their task was lost, or their worker died."""
    now = now or timezone.now()
    waiting = Q(status=AnalysisStatus.QUEUED, asked_at__lt=now - QUEUED)
    lost = Analysis.objects.filter(waiting | LEASE.left(now)).order_by("asked_at")
    return list(lost.values_list("pk", flat=True)[:50])
