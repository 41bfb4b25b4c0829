"""Memberships of segments follow what happens."""

from celery import shared_task
from django.utils import timezone

from personalization.segments import membership


@shared_task
def refresh_memberships() -> None:
    membership.refresh_all(now=timezone.now())
