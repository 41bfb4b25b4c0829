"""The list of campaigns, each with what its newest run sent and earned."""

from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count, Prefetch, Q
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from campaigns.models import Campaign, CampaignStatus, Delivery, DeliveryStatus, Run
from campaigns.reports.words import effect_of_list
from personalization.access.shell import render_page, staff_page
from personalization.customers.reading import may_see
from personalization.privacy.told import step_for, told_count

PER_PAGE = 25
ARCHIVED = "archived"  # among the statuses to filter by


@staff_page("campaigns.view_campaign")
def campaign_list(request: HttpRequest) -> HttpResponse:
    status, words = request.GET.get("status", ""), request.GET.get("q", "").strip()[:100]
    found = Campaign.objects.select_related("segment").prefetch_related(
        Prefetch("runs", Run.objects.select_related("experiment").order_by("-number"))
    )
    if status in CampaignStatus.values:
        found = found.filter(status=status)
    found = found.filter(archived_at__isnull=status != ARCHIVED)
    if words:
        found = found.filter(name__icontains=words)
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    return render_page(
        request,
        "campaigns/list.html",
        {
            "page_obj": page,
            "rows": _rows(request, list(page.object_list)),
            "fewer_than": step_for(request),
            "statuses": [*CampaignStatus.choices, (ARCHIVED, _("Archived"))],
            "status": status,
            "words": words,
            "is_filtered": bool(status or words),
            "has_archived": Campaign.objects.exclude(archived_at=None).exists(),
            "can_add": request.user.has_perm("campaigns.add_campaign"),
        },
        title=_("Campaigns"),
    )


def _rows(request: HttpRequest, campaigns: list[Campaign]) -> list[dict[str, Any]]:
    """Each campaign with its newest run, what was sent, and the effect on the primary metric."""
    latest = {campaign.pk: next(iter(campaign.runs.all()), None) for campaign in campaigns}
    run_ids = [run.pk for run in latest.values() if run]
    sent = dict(
        Delivery.everything.filter(run__in=run_ids)
        .order_by()
        .values("run")
        .annotate(n=Count("pk", filter=Q(status=DeliveryStatus.SENT)))
        .values_list("run", "n")
    )
    rows = []
    for campaign in campaigns:
        run = latest[campaign.pk]
        rows.append(
            {
                "campaign": campaign,
                "run": run,
                "audience": told_count(request, run.audience_size) if run else None,
                "sent": told_count(request, sent.get(run.pk, 0)) if run else None,
                "effect": effect_of_list(run, whole=may_see(request)) if run else None,
                "url": reverse("campaigns:report" if run else "campaigns:edit", args=[campaign.pk]),
            }
        )
    return rows
