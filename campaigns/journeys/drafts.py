"""Older and undone states of a journey's draft, so that every change can be taken back and made again."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.errors import InvalidState
from campaigns.models import Journey, JourneyDraft
from personalization.access.services import audit

KEPT = 50


def keep(journey: Journey, *, before: Any) -> None:
    """Inside of the transaction that saves `journey.draft`. What had been undone is gone then."""
    if journey.draft == before:
        return
    journey.drafts.filter(number__gt=journey.draft_number).delete()
    if before and not journey.drafts.filter(number=journey.draft_number).exists():
        journey.drafts.create(number=journey.draft_number, graph=before)
    journey.draft_number += 1
    JourneyDraft.objects.create(journey=journey, number=journey.draft_number, graph=journey.draft)
    journey.drafts.filter(number__lte=journey.draft_number - KEPT).delete()


@transaction.atomic
def step(journey: Journey, *, by: int, actor: str) -> Journey:
    """`by` -1 undoes the last change, 1 makes the last undone one again. Raises InvalidState."""
    journey = Journey.objects.select_for_update().get(pk=journey.pk)
    state = journey.drafts.filter(number=journey.draft_number + by).first()
    if state is None:
        raise InvalidState(_("There is nothing to undo.") if by < 0 else _("There is nothing to redo."))
    journey.draft, journey.draft_number = state.graph, state.number
    journey.save(update_fields=["draft", "draft_number", "updated_at"])
    audit(actor, "journey.undone" if by < 0 else "journey.redone", f"journey:{journey.pk}")
    return journey


def ways_to_step(journey: Journey) -> dict[str, bool]:
    """Whether there is something to undo, and to redo."""
    numbers = set(
        journey.drafts.filter(number__in=(journey.draft_number - 1, journey.draft_number + 1)).values_list(
            "number", flat=True
        )
    )
    return {"undo": journey.draft_number - 1 in numbers, "redo": journey.draft_number + 1 in numbers}
