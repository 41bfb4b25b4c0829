"""Asking for a rehearsal, making it, and forgetting it."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from campaigns.errors import InvalidState
from campaigns.journeys.versions import check
from campaigns.models import Campaign, Journey, Rehearsal
from campaigns.planning.readiness import must_be_ready
from campaigns.rehearsing.found import as_document
from campaigns.rehearsing.giving_way import GivingWay
from campaigns.rehearsing.journey import rehearse_journey
from campaigns.rehearsing.rehearsal import must_be_open, rehearse
from personalization.access.jobs.row import UNDER_WAY, JobStatus
from personalization.access.jobs.work import Tell, cancel_job
from personalization.access.services import audit

# It speaks of people, and of what the shop was like then.
KEPT_FOR = timedelta(days=7)


@transaction.atomic
def ask_for_rehearsal(what: Campaign | Journey, *, at: datetime | None, days: int, actor: str) -> Rehearsal:
    """One that waits for a worker; `at` None: the campaign's plan, or now. Raises CampaignNotReady,
    InvalidJourney, InvalidState (also while one is under way)."""
    if isinstance(what, Campaign):
        must_be_open(what)
        must_be_ready(what, now=timezone.now(), besides="approval")
    else:
        check(what.draft)
    if rehearsals_of(what).filter(status__in=UNDER_WAY).exists():
        raise InvalidState(_("It is being rehearsed already."))
    asked = Rehearsal.objects.create(
        **_of(what), at=at, days=days, asked_by=actor[:200], status=JobStatus.QUEUED
    )
    audit(actor, "rehearsal.asked", f"rehearsal:{asked.pk}")
    return asked


def rehearsals_of(what: Campaign | Journey) -> QuerySet[Rehearsal]:
    return Rehearsal.objects.filter(**_of(what))


def _of(what: Campaign | Journey) -> dict[str, Any]:
    return {"campaign": what} if isinstance(what, Campaign) else {"journey": what}


def make_rehearsal(asked: Rehearsal, tell: Tell) -> dict[str, Any]:
    """The worker's part; answers the fields of the row. Raises what `rehearse` raises, Stopped, GaveWay."""
    tell = GivingWay(tell)
    if asked.campaign is not None:
        found = rehearse(asked.campaign, at=asked.at, days=asked.days, tell=tell)
    else:
        assert asked.journey is not None  # the constraint
        at = asked.at or timezone.now()
        found = rehearse_journey(asked.journey, at=at, days=asked.days, tell=tell)
    return {"result": as_document(found)}


def cancel_rehearsal(row: Rehearsal, *, actor: str) -> None:
    """Raises NotUnderWay."""
    cancel_job(row, kind="rehearsal", actor=actor)


def forget_old_rehearsals() -> None:
    Rehearsal.objects.filter(created_at__lt=timezone.now() - KEPT_FOR).delete()
