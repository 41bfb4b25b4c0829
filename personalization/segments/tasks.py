"""Memberships of segments follow what happens; groups and look-alikes are found in the background."""

from celery import shared_task
from django.utils import timezone

from personalization.segments import membership
from personalization.segments.discovery import running


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
