"""Whom a step could not move: set aside, so that the others go on, and sent on again once it is mended."""

from datetime import datetime

import structlog
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from campaigns.journeys import passing
from campaigns.journeys.passing import BATCH, Due
from campaigns.models import Journey, Passage, PassageStatus
from personalization.access.services import audit

log = structlog.get_logger(__name__)
# The world around is at fault, nobody in the batch: all of it is tried again at the next tick.
OUTSIDE = (OperationalError, InterfaceError, OSError)
SMALLER = 10
# So many set aside and nobody moved: it is the step that fails, whoever stands there.
ENOUGH = 20


def step(due: Due, *, now: datetime, limit: int = BATCH) -> int:
    """As `passing.step`, but whoever makes it fail is set aside; answers how many were looked at."""
    looked_at, size, alone = 0, limit, 0
    while looked_at < limit:
        try:
            moved = passing.step(due, now=now, limit=size)
        except OUTSIDE:
            raise
        except Exception as error:
            if size > 1 and alone < ENOUGH:
                size = max(size // SMALLER, 1)
                continue
            moved = _set_aside(due, error, now=now, limit=size)
            alone += 1
            size = limit if alone >= ENOUGH else 1
        else:
            alone = 0
            size = min(size * SMALLER, limit)
        if not moved:
            break
        looked_at += moved
    return looked_at


def _set_aside(due: Due, error: Exception, *, now: datetime, limit: int) -> int:
    """The first `limit` of those due stay where they are, visibly; answers how many."""
    kind = type(error).__name__  # its text may speak of the customer
    with transaction.atomic():
        ids = passing.claimed_ids(due, now=now, limit=limit)
        Passage.everything.filter(pk__in=ids).update(
            status=PassageStatus.FAILED, end_reason=kind, ended_at=now
        )
    about = {"version": due.version_id, "node": due.node, "people": len(ids)}
    log.error("journey_step_failed", **about, exc_info=error)
    return len(ids)


@transaction.atomic
def send_on(journey: Journey, *, actor: str) -> int:
    """Those set aside take their step again, but whoever came in anew meanwhile; answers how many."""
    own = Passage.everything.filter(journey=journey)
    anew = own.filter(status=PassageStatus.INSIDE, customer=OuterRef("customer"), is_test=OuterRef("is_test"))
    failed = own.filter(~Exists(anew), status=PassageStatus.FAILED, customer__isnull=False)
    # Of several passages of one customer the newest: only one can be inside.
    newest = failed.order_by("customer", "is_test", "-pk").distinct("customer", "is_test")
    sent_on = Passage.everything.filter(pk__in=list(newest.values_list("pk", flat=True))).update(
        status=PassageStatus.INSIDE, end_reason="", ended_at=None, due_at=timezone.now()
    )
    audit(actor, "journey.retried", f"journey:{journey.pk}", people=sent_on)
    return sent_on
