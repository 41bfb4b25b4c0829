"""Reports shared with people who have no account: by an address that expires and can be taken back."""

import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from campaigns.errors import InvalidState
from campaigns.models import ReportLink, Run
from experiments.models import Experiment
from personalization.access.services import audit, hash_secret

if TYPE_CHECKING:
    from personalization.access.models import User

DAYS = 14
MOST_DAYS = 365
MOST_LIVE = 50


@transaction.atomic
def share(
    shown: Run | Experiment, *, actor: str, user: "User | None", days: int = DAYS, note: str = ""
) -> tuple[ReportLink, str]:
    """A new link and its address, which can never be shown again. Raises InvalidState."""
    now = timezone.now()
    if not 1 <= days <= MOST_DAYS:
        raise InvalidState(_("A link lives from 1 to %(n)s days.") % {"n": MOST_DAYS})
    if live(shown, now=now).count() >= MOST_LIVE:
        raise InvalidState(_("There are too many links to this report: take some back."))
    secret = secrets.token_urlsafe(32)
    link = ReportLink.objects.create(
        **_opens(shown), secret_hash=hash_secret(secret), note=note.strip()[:200], created_by=user,
        created_at=now, expires_at=now + timedelta(days=days),
    )  # fmt: skip
    audit(actor, "report.shared", _name(link), link=link.pk, days=days)
    return link, f"{settings.SITE_URL}{reverse('shared-report', args=[secret])}"


@transaction.atomic
def take_back(link: ReportLink, *, actor: str) -> None:
    """It opens nothing from this moment on."""
    if ReportLink.objects.filter(pk=link.pk, revoked_at=None).update(revoked_at=timezone.now()):
        audit(actor, "report.unshared", _name(link), link=link.pk)


def live(shown: Run | Experiment, *, now: datetime) -> QuerySet[ReportLink]:
    found = ReportLink.objects.filter(**_opens(shown), revoked_at=None, expires_at__gt=now)
    return found.select_related("created_by")


def opened_by(secret: str, *, now: datetime) -> ReportLink | None:
    """The link with what it opens, its use noted; None when it opens nothing (any more)."""
    found = ReportLink.objects.filter(secret_hash=hash_secret(secret), revoked_at=None, expires_at__gt=now)
    link = found.select_related("run__campaign", "run__experiment", "experiment").first()
    if link is not None:
        ReportLink.objects.filter(pk=link.pk).update(uses=F("uses") + 1, last_used_at=now)
    return link


def report_of(experiment: Experiment) -> Run | Experiment:
    """Whose report tells of the experiment: its run's, where it has one."""
    return Run.objects.filter(experiment=experiment).select_related("campaign").first() or experiment


def share_context(shown: Run | Experiment) -> dict[str, Any]:
    """For the part of a report's page where addresses are made and taken back."""
    if isinstance(shown, Run):
        address = reverse("campaigns:share-report", args=[shown.campaign_id, shown.number])
    else:
        address = reverse("experiments:share-report", args=[shown.key])
    links = list(live(shown, now=timezone.now()))
    return {"links": links, "link_days": DAYS, "share_url": address}


def _opens(shown: Run | Experiment) -> dict[str, Any]:
    return {"run": shown} if isinstance(shown, Run) else {"experiment": shown}


def _name(link: ReportLink) -> str:
    return f"run:{link.run_id}" if link.run_id else f"experiment:{link.shown.key}"
