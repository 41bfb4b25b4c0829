"""Computed traits are refreshed every minute by what came in; values move under seal as declared."""

from celery import shared_task
from django.db import transaction
from django.utils import timezone

from personalization.traits import declarations, refreshing
from personalization.traits.models import TraitDefinition


@shared_task
def refresh_traits() -> None:
    refreshing.refresh_due(now=timezone.now())


@shared_task
def refresh_prompt_traits() -> None:
    """Those that are to be right within seconds."""
    refreshing.refresh_due(now=timezone.now(), prompt=True)


@shared_task
def refresh_trait(definition_id: int) -> None:
    """One that was asked for. Lost or held up, it is refreshed with all others."""
    if definition := TraitDefinition.objects.filter(pk=definition_id, is_active=True).first():
        refreshing.refresh(definition, now=timezone.now())


@shared_task
def move_values() -> None:
    """Under seal or out of it, as traits are declared; at night too, for what was on its way meanwhile."""
    declarations.move_values()


def move_soon() -> None:
    transaction.on_commit(lambda: move_values.delay())
