"""The first page: what needs me, what is going out, what it earned lately."""

from datetime import timedelta
from typing import Any

from django.core.cache import cache
from django.db.models import Count
from django.http import HttpRequest
from django.utils import timezone

from campaigns.models import Campaign, CampaignStatus, Delivery, DeliveryStatus, Run, RunStatus
from personalization.customers.models import SOMEBODY, Customer
from personalization.events.models import Event
from personalization.segments.models import Segment
from recommender.models import ModelRun
from recommender.models import RunStatus as TrainingStatus

RECENT_RUNS = 5
COUNTS_SECONDS = 30


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The shell's hook for its index page: adds what this member of staff may see."""
    may = request.user.has_perm
    context["steps"] = _first_steps() if may("campaigns.view_campaign") else []
    if may("customers.view_customer"):
        context["tiles"] = _counts()
    if may("campaigns.view_campaign"):
        context["needs"] = _needs()
        context["runs"] = _recent_runs()
        context["scheduled"] = Campaign.objects.filter(status=CampaignStatus.SCHEDULED).order_by(
            "scheduled_at"
        )[:5]
    return context


def _counts() -> dict[str, int]:
    """Counting millions of rows at each visit would make the first page slow: kept half a minute."""
    counts = cache.get("home:counts")
    if counts is None:
        month = timezone.now() - timedelta(days=30)
        counts = {
            "customers": Customer.objects.filter(SOMEBODY).count(),
            "events": Event.objects.filter(occurred_at__gte=month).count(),
            "sent": Delivery.objects.filter(status=DeliveryStatus.SENT, sent_at__gte=month).count(),
            "segments": Segment.objects.filter(archived_at=None).count(),
        }
        cache.set("home:counts", counts, COUNTS_SECONDS)
    return counts


def _recent_runs() -> list[dict[str, Any]]:
    runs = list(Run.objects.select_related("campaign").order_by("-launched_at")[:RECENT_RUNS])
    rows = Delivery.objects.filter(run__in=runs).values_list("run", "status").annotate(n=Count("id"))
    counts: dict[tuple[int, str], int] = {(run, status): n for run, status, n in rows}
    return [
        {
            "run": run,
            "sent": counts.get((run.pk, DeliveryStatus.SENT), 0),
            "waiting": counts.get((run.pk, DeliveryStatus.PENDING), 0),
            "failed": counts.get((run.pk, DeliveryStatus.FAILED), 0),
            "unknown": counts.get((run.pk, DeliveryStatus.UNKNOWN), 0),
            "share": (run.audience_size - counts.get((run.pk, DeliveryStatus.PENDING), 0))
            / max(run.audience_size, 1),
        }
        for run in runs
    ]


def _needs() -> dict[str, Any]:
    return {
        "paused": Run.objects.filter(status=RunStatus.PAUSED).select_related("campaign"),
        "failed_models": ModelRun.objects.filter(
            status=TrainingStatus.FAILED, created_at__gte=timezone.now() - timedelta(days=7)
        ),
        "no_champion": not ModelRun.objects.filter(is_champion=True).exists(),
    }


def _first_steps() -> list[str]:
    """Which of the steps to a first campaign are still to do; empty once a campaign was launched."""
    if Run.objects.exists():
        return []
    done = {
        "customers": Customer.objects.exists(),
        "segments": Segment.objects.exists(),
        "models": ModelRun.objects.filter(is_champion=True).exists(),
        "campaigns": Campaign.objects.exists(),
        "launch": False,
    }
    return [step for step, is_done in done.items() if not is_done]
