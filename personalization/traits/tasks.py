"""Computed traits are refreshed every minute by what came in."""

from celery import shared_task
from django.utils import timezone

from personalization.traits import services


@shared_task
def refresh_traits() -> None:
    services.refresh_due(now=timezone.now())
