"""Celery's entrance: clients report exposures as events, from time to time they are read."""

from celery import shared_task
from django.utils import timezone

from experiments.exposures import take_in_exposed


@shared_task(ignore_result=True)
def read_exposures() -> None:
    take_in_exposed(now=timezone.now())
