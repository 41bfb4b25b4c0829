"""What waits for the person who logs in: one line each, the gravest first, and only what they may see."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from django.core.cache import cache
from django.db.models import Count
from django.urls import reverse
from django.utils.translation import get_language, ngettext, override
from django.utils.translation import gettext as _

from campaigns import selectors
from campaigns.models import Campaign, CampaignStatus, Delivery, DeliveryStatus, Run, RunStatus, SenderAccount
from campaigns.planning import approval
from campaigns.senders.accounts import trouble_of
from experiments import selectors as experiments
from experiments.reports.notices import Notice, notices
from personalization.customers.models import Channel
from personalization.customers.recent import recent
from personalization.privacy.models import PrivacyRequest, RequestStatus
from personalization.sources.models import Import, ImportStatus
from recommender.models import ModelRun
from recommender.models import RunStatus as TrainingStatus

if TYPE_CHECKING:
    from personalization.access.models import User

RECENT = timedelta(days=7)
# A model that has learned nothing for so long no longer knows what is new in the shop.
OLD_MODEL = timedelta(days=30)
WATCHED = timedelta(days=45)
MOST_WATCHED = 20
ALARM_SECONDS = 60


@dataclass(frozen=True)
class Need:
    """`tone` is "bad" (something went wrong), "warn" (look at it) or "ask" (a question to you)."""

    tone: str
    text: str
    url: str


class Needs(NamedTuple):
    """`is_complete`: not while what the guards of large experiments say is still being counted."""

    found: list[Need]
    is_complete: bool


def needs_of(user: "User", *, now: datetime) -> Needs:
    """Each look costs a query or two; none grows with the number of customers."""
    found = [
        need
        for permission, look in LOOKS
        if user.has_perm(permission)
        for need in look(user, now)
    ]  # fmt: skip
    alarms = _alarms(now) if user.has_perm("campaigns.view_campaign") else []
    found += alarms or []
    in_order = sorted(found, key=lambda need: ("bad", "ask", "warn").index(need.tone))
    return Needs(in_order, is_complete=alarms is not None)


def _approvals(user: "User", now: datetime) -> Iterator[Need]:
    for asked in approval.waiting_for(user):
        text = _("“%(name)s” waits for your approval.") % {"name": asked.campaign.name}
        yield Need("ask", text, reverse("campaigns:edit", args=[asked.campaign_id]))


def _launches(user: "User", now: datetime) -> Iterator[Need]:
    hindered = Campaign.objects.filter(archived_at=None).exclude(problem="")
    for campaign in hindered.exclude(status=CampaignStatus.LAUNCHED):
        facts = {"name": campaign.name, "problem": campaign.problem}
        text = _("“%(name)s” was not launched when it was due: %(problem)s") % facts
        yield Need("bad", text, reverse("campaigns:edit", args=[campaign.pk]))


def _runs(user: "User", now: datetime) -> Iterator[Need]:
    for run in Run.objects.filter(status=RunStatus.PAUSED).select_related("campaign"):
        text = _("“%(name)s” is paused.") % {"name": run.campaign.name}
        note = _(run.note) if run.note else ""
        yield Need("warn", f"{text} {note}".strip(), _report(run))
    recent = Run.objects.filter(launched_at__gte=now - RECENT).select_related("campaign")
    failed = dict(
        Delivery.objects.filter(run__in=recent, status=DeliveryStatus.FAILED)
        .order_by().values("run").annotate(n=Count("pk")).values_list("run", "n")
    )  # fmt: skip
    for run in recent:
        if n := failed.get(run.pk, 0):
            text = ngettext(
                "“%(name)s”: %(n)s message failed.", "“%(name)s”: %(n)s messages failed.", n
            )  # fmt: skip
            yield Need("warn", text % {"name": run.campaign.name, "n": f"{n:,}"}, _report(run))


def _alarms(now: datetime) -> list[Need] | None:
    """What guards of running experiments cry out, at most a minute old; None while counted first."""
    key = f"home:alarms:{get_language()}"
    found: list[tuple[str, str]] | None = cache.get(key)
    if found is None:
        found = recent(f"{key}:read", partial(_read_alarms, get_language(), now))
        if found is None:
            return None
        cache.set(key, found, ALARM_SECONDS)
    return [Need("bad", text, url) for text, url in found]


def _read_alarms(language: str | None, now: datetime) -> list[tuple[str, str]]:
    runs = Run.objects.filter(launched_at__gte=now - WATCHED).select_related("campaign", "experiment")
    with override(language):  # of many messages they are counted behind the page
        return [
            (f"“{run.campaign.name}”: {notice.text}", _report(run))
            for run in runs.order_by("-launched_at")[:MOST_WATCHED]
            for notice in _cries(run)
        ]


def _cries(run: Run) -> Iterator[Notice]:
    report = experiments.newest_report(run.experiment, stages=selectors.stages(run.experiment))
    yield from (notice for notice in (notices(report) if report else ()) if notice.tone == "bad")


def _models(user: "User", now: datetime) -> Iterator[Need]:
    failed = ModelRun.objects.filter(status=TrainingStatus.FAILED, created_at__gte=now - RECENT)
    for model in failed.defer("item_ids"):
        text = _("The training of %(name)s failed.") % {"name": model}
        yield Need("bad", text, reverse("recommender:run", args=[model.pk]))
    for model in ModelRun.objects.filter(is_champion=True).defer("item_ids"):
        url = reverse("recommender:run", args=[model.pk])
        if model.data_until and now - model.data_until > OLD_MODEL:
            days = (now - model.data_until).days
            text = _("The model in use, %(name)s, knows nothing of the last %(days)s days: train anew.")
            yield Need("warn", text % {"name": model, "days": days}, url)
        if n := len(model.departed_ids):
            text = ngettext(
                "The model in use learned from %(n)s customer who was erased since: train anew.",
                "The model in use learned from %(n)s customers who were erased since: train anew.",
                n,
            )
            yield Need("warn", text % {"n": n}, url)


def _senders(user: "User", now: datetime) -> Iterator[Need]:
    used = SenderAccount.objects.order_by().values_list("channel", flat=True).distinct()
    for channel in {Channel.EMAIL.value, *used}:
        if trouble := trouble_of(channel):
            yield Need("bad", trouble, reverse("campaigns:accounts"))


def _imports(user: "User", now: datetime) -> Iterator[Need]:
    broken = Import.objects.filter(status=ImportStatus.FAILED, created_at__gte=now - RECENT)
    for one in broken:
        text = _("The import of “%(name)s” failed.") % {"name": one}
        yield Need("bad", text, reverse("sources:import", args=[one.pk]))


def _privacy(user: "User", now: datetime) -> Iterator[Need]:
    late = PrivacyRequest.objects.filter(status=RequestStatus.WAITING, due_at__lt=now + RECENT).count()
    if late:
        text = ngettext(
            "%(n)s person must have their answer within seven days.",
            "%(n)s people must have their answer within seven days.",
            late,
        )
        yield Need("ask", text % {"n": late}, reverse("privacy:requests"))


def _report(run: Run) -> str:
    return f"{reverse('campaigns:report', args=[run.campaign_id])}?run={run.number}"


LOOKS: tuple[tuple[str, Callable[["User", datetime], Iterator[Need]]], ...] = (
    ("campaigns.approve_campaign", _approvals),
    ("campaigns.view_campaign", _launches),
    ("campaigns.view_campaign", _runs),
    ("recommender.view_modelrun", _models),
    ("campaigns.view_senderaccount", _senders),
    ("sources.view_import", _imports),
    ("privacy.view_privacyrequest", _privacy),
)
