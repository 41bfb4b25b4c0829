from celery import shared_task
from django.utils import timezone

from campaigns.onsite import learning, next_best, showing


@shared_task(ignore_result=True)
def move_reports() -> None:
    showing.move()


@shared_task(ignore_result=True)
def count_reactions() -> None:
    learning.count_reactions(now=timezone.now())


@shared_task(ignore_result=True)
def measure_gains() -> None:
    next_best.measure_gains(now=timezone.now())
