"""Memberships of segments follow what happens; groups are found, files written in the background."""

from celery import shared_task
from django.utils import timezone

from personalization.access.jobs.work import lost_jobs, run_job
from personalization.segments import kept_exports, membership
from personalization.segments.discovery import running
from personalization.segments.models import SegmentExport


@shared_task
def refresh_memberships() -> None:
    membership.refresh_all(now=timezone.now())


@shared_task
def run_discovery(discovery_id: int) -> None:
    """Running it twice does no harm: the row names one worker."""
    running.run_discovery(discovery_id, now=timezone.now())


@shared_task
def start_discoveries() -> None:
    """What waits, was left by a dead worker, or is due by its schedule."""
    for discovery_id in running.due_discoveries(now=timezone.now()):
        run_discovery.delay(discovery_id)


@shared_task
def run_export(export_id: int) -> None:
    run_job(SegmentExport, export_id, kept_exports.make_export)


@shared_task
def start_exports() -> None:
    """Whose task was lost or whose worker died; old ones are forgotten."""
    kept_exports.forget_old_exports()
    for export_id in lost_jobs(SegmentExport):
        run_export.delay(export_id)
