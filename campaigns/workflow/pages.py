"""What happens around a campaign: copies, the archive, approval, the calendar."""

from functools import partial
from typing import cast

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from campaigns.editor.forms import read_json, text
from campaigns.editor.pages import answers_problems
from campaigns.models import Campaign
from campaigns.planning import approval
from campaigns.workflow import shelving
from campaigns.workflow.approval_state import approval_state
from campaigns.workflow.month import month_of, read_month
from personalization.access.models import User
from personalization.access.problems import ProblemError
from personalization.access.services import actor_name
from personalization.access.shell import render_page, staff_page
from personalization.privacy.told import told_count


@require_POST
@staff_page("campaigns.add_campaign")
def duplicate(request: HttpRequest, campaign_id: int) -> HttpResponse:
    campaign = get_object_or_404(Campaign, pk=campaign_id)
    copy = shelving.duplicate(campaign, actor=actor_name(request), created_by=cast(User, request.user))
    messages.success(request, _("This is a copy. Nothing of it goes out before you launch it."))
    return redirect("campaigns:edit", campaign_id=copy.pk)


@require_POST
@staff_page("campaigns.change_campaign")
def archive(request: HttpRequest, campaign_id: int) -> HttpResponse:
    campaign = get_object_or_404(Campaign, pk=campaign_id)
    try:
        shelving.archive(campaign, actor=actor_name(request))
    except ProblemError as error:
        messages.error(request, error.detail)
    else:
        text = _("“%(name)s” is in the archive. Choose the status “Archived” to find it and take it out.")
        messages.success(request, text % {"name": campaign.name})
    return redirect("campaigns:list")


@require_POST
@staff_page("campaigns.change_campaign")
def restore(request: HttpRequest, campaign_id: int) -> HttpResponse:
    campaign = get_object_or_404(Campaign, pk=campaign_id)
    shelving.restore(campaign, actor=actor_name(request))
    messages.success(request, _("“%(name)s” is back on the list.") % {"name": campaign.name})
    return redirect("campaigns:list")


@require_POST
@staff_page("campaigns.view_campaign")
@answers_problems
def approve(request: HttpRequest, campaign_id: int, action: str) -> HttpResponse:
    """`action`: ask, withdraw, approve or decline."""
    campaign = get_object_or_404(Campaign, pk=campaign_id)
    user, actor, said = cast(User, request.user), actor_name(request), read_json(request)
    needed = {
        "ask": "change_campaign", "withdraw": "change_campaign",
        "approve": "approve_campaign", "decline": "approve_campaign",
    }.get(action)  # fmt: skip
    if needed is None:
        raise Http404
    if not user.has_perm(f"campaigns.{needed}"):
        raise PermissionDenied
    if action == "ask":
        approval.ask(campaign, actor=actor, user=user, note=text(said, "note"))
    elif action == "withdraw":
        approval.withdraw(campaign, actor=actor)
    else:
        approval.decide(
            campaign, user=user, actor=actor, approved=action == "approve", comment=text(said, "comment")
        )
    return JsonResponse({"approval": approval_state(campaign, user)})


@staff_page("campaigns.view_campaign")
def calendar(request: HttpRequest) -> HttpResponse:
    first = read_month(request.GET.get("month", ""), now=timezone.now())
    return render_page(
        request,
        "campaigns/calendar.html",
        month_of(first, now=timezone.now(), told=partial(told_count, request)),
        title=_("Calendar"),
    )
