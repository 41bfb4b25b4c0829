"""Computed traits are refreshed every minute by what came in; values move under seal as declared."""

from celery import shared_task
from django.db import transaction
from django.utils import timezone

from personalization.traits import declarations, services


@shared_task
def refresh_traits() -> None:
    services.refresh_due(now=timezone.now())


@shared_task
def refresh_prompt_traits() -> None:
    """Those that are to be right within seconds."""
    services.refresh_due(now=timezone.now(), prompt=True)


@shared_task
def move_values() -> None:
    """Under seal or out of it, as traits are declared; at night too, for what was on its way meanwhile."""
    declarations.move_values()


def move_soon() -> None:
    transaction.on_commit(lambda: move_values.delay())
