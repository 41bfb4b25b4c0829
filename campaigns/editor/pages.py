"""The editor. Everything checks its permission; writes go through the services."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial, wraps
from typing import Any, cast

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from campaigns import services
from campaigns.editor.forms import campaign_fields, read_json, send_at
from campaigns.editor.texts import channel_forms, editor_texts, metric_choices, shares, snippets
from campaigns.editor.visual import visual_editor
from campaigns.errors import InvalidCampaign
from campaigns.item_choice import DEFAULT_COUNT
from campaigns.models import Campaign, CampaignKind, CampaignStatus, Fallback
from campaigns.planning.readiness import EDITABLE
from campaigns.schedule.timing import Timing
from campaigns.suggestions.pages import may_suggest
from campaigns.workflow.approval_state import approval_state
from experiments.models import Allocation, Holdout
from personalization.access.models import User
from personalization.access.problems import ProblemError, problem_response
from personalization.access.services import actor_name
from personalization.access.shell import render_page, staff_page
from personalization.content.missing import Policy
from personalization.content.starters import starters
from personalization.customers.models import Channel
from personalization.privacy.told import told_count
from personalization.segments.models import Segment
from recommender.ranking.references import item_names, write_rules
from recommender.ranking.rules import Rules

STILL_NOW = timedelta(minutes=5)  # from choosing the time to pressing the button


def answers_problems(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Our own errors become problem details, which the page's script shows beside the fields."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except ProblemError as error:
            return problem_response(
                status=error.status,
                title=error.title,
                detail=error.detail,
                slug=error.slug,
                errors=error.errors,
            )

    return guarded


@staff_page("campaigns.view_campaign")
def editor(request: HttpRequest, campaign_id: int | None = None) -> HttpResponse:
    campaign = (
        get_object_or_404(Campaign.objects.select_related("segment"), pk=campaign_id) if campaign_id else None
    )
    if campaign is None and not request.user.has_perm("campaigns.add_campaign"):
        raise PermissionDenied
    is_open = campaign is None or campaign.status in EDITABLE
    may_save = request.user.has_perm("campaigns.change_campaign" if campaign else "campaigns.add_campaign")
    return render_page(
        request,
        "campaigns/editor.html",
        {
            "campaign": campaign,
            "is_open": is_open,
            "can_save": may_save and is_open,
            "can_suggest": may_save and is_open and may_suggest(request),
            "can_launch": request.user.has_perm("campaigns.launch_campaign") and is_open,
            "segments": Segment.objects.filter(archived_at=None),
            "holdouts": Holdout.objects.filter(is_global=False, ended_at=None).order_by("name"),
            "starters": starters(),
            "channels": Channel.choices,
            "snippets": snippets(),
            "missing": Policy.choices,
            "metrics": metric_choices(),
            "fallbacks": Fallback.choices,
            "allocations": Allocation.choices,
            "kinds": CampaignKind.choices,
            "weekdays": list(enumerate(WEEKDAYS_ABBR.values())),
            "page_data": _page_data(request, campaign, can_save=may_save and is_open),
        },
        title=campaign.name if campaign else _("New campaign"),
    )


def _page_data(request: HttpRequest, campaign: Campaign | None, *, can_save: bool) -> dict[str, Any]:
    return {
        "campaign": state_of(campaign) if campaign else _blank(request.GET.get("segment", "")),
        "canSave": can_save,
        "canLaunch": request.user.has_perm("campaigns.launch_campaign"),
        "urls": urls_of(campaign),
        "starters": [
            {"key": s.key, "name": s.name, "subject": s.subject, "preheader": s.preheader, "body": s.body}
            for s in starters()
        ],
        "texts": editor_texts(),
        "channels": channel_forms(),
        "shares": shares(),
        "guardrailMetrics": [key for key, _name in metric_choices()],
        "myAddress": cast(User, request.user).email,
        "zone": settings.TIME_ZONE,
        "language": "zh" if (get_language() or "").startswith("zh") else "en",
        "visual": {**visual_editor(), "snippets": snippets()},
    }


def state_of(campaign: Campaign) -> dict[str, Any]:
    """What the editor edits: as it is saved, and the names of the items in the rules."""
    messages: list[dict[str, Any]] = [
        {
            "key": m.key, "name": m.name, "weight": m.weight, "subject": m.subject, "preheader": m.preheader,
            "body": m.body, "fields": m.fields, "item_count": m.item_count, "missing": m.missing,
            "translations": m.translations, "rules": write_rules(Rules.from_json(m.rules)),
        }
        for m in campaign.messages.order_by("position", "pk")
    ]  # fmt: skip
    return {
        "id": campaign.pk,
        "name": campaign.name,
        "segment": campaign.segment_id or "",
        "sender_name": campaign.sender_name,
        "sender_address": campaign.sender_address,
        "topic": campaign.topic,
        "channel": campaign.channel,
        "utm": campaign.utm,
        "tracks_clicks": campaign.tracks_clicks,
        "control_share": campaign.control_share,
        "holdout": campaign.holdout_id or "",
        "plan": campaign.plan,
        "test_share": campaign.test_share,
        "fallback": campaign.fallback,
        "allocation": campaign.allocation,
        "learning": campaign.learning,
        "kind": campaign.kind,
        "timing": campaign.timing,
        "status": campaign.status,
        "scheduled_at": campaign.scheduled_at.isoformat() if campaign.scheduled_at else "",
        "messages": messages,
        "item_names": item_names(message["rules"] for message in messages),
    }


def _blank(segment: str) -> dict[str, Any]:
    """A campaign that is not written yet, for the segment with this id if there is one."""
    first = starters()[0]
    known = segment.isdecimal() and Segment.objects.filter(pk=segment, archived_at=None).exists()
    return {
        "id": None, "name": "", "segment": segment if known else "",
        "sender_name": "", "sender_address": settings.DEFAULT_SENDER,
        "topic": "marketing", "channel": "email", "utm": {}, "tracks_clicks": True, "control_share": 0.1,
        "holdout": "",
        "status": CampaignStatus.DRAFT,
        "plan": {}, "test_share": 1.0, "fallback": Fallback.BASELINE,
        "allocation": Allocation.FIXED, "learning": {}, "kind": CampaignKind.BROADCAST,
        "timing": {},
        "scheduled_at": "", "item_names": {},
        "messages": [
            {"key": "a", "name": _("Variant %(letter)s") % {"letter": "A"}, "weight": 1,
             "subject": first.subject, "preheader": first.preheader, "body": first.body,
             "item_count": DEFAULT_COUNT, "rules": {}, "fields": {},
             "translations": {}, "missing": Policy.PRINT_NOTHING}
        ],
    }  # fmt: skip


def urls_of(campaign: Campaign | None) -> dict[str, str]:
    urls = {
        "save": reverse("campaigns:create"),
        "preview": reverse("campaigns:preview"),
        "languages": reverse("campaigns:languages"),
        "customers": reverse("campaigns:preview-customers"),
        "sendTest": reverse("campaigns:send-test"),
        "ruleChoices": reverse("campaigns:rule-choices"),
        "size": reverse("campaigns:size"),
        "outlook": reverse("campaigns:outlook"),
        "dates": reverse("campaigns:dates"),
    }
    if campaign:
        for name in ("edit", "save", "checks", "launch", "schedule", "unschedule", "report"):
            urls[name] = reverse(f"campaigns:{name}", args=[campaign.pk])
        for action in ("ask", "withdraw", "approve", "decline"):
            urls[action] = reverse("campaigns:approval", args=[campaign.pk, action])
    return urls


@require_POST
@staff_page("campaigns.view_campaign")
@answers_problems
def save(request: HttpRequest, campaign_id: int | None = None) -> HttpResponse:
    campaign = get_object_or_404(Campaign, pk=campaign_id) if campaign_id else None
    if not request.user.has_perm("campaigns.change_campaign" if campaign else "campaigns.add_campaign"):
        raise PermissionDenied
    saved = services.save_campaign(
        campaign,
        **campaign_fields(read_json(request)),
        actor=actor_name(request),
        created_by=cast(User, request.user),
    )
    return JsonResponse({"campaign": state_of(saved), "urls": urls_of(saved)})


@staff_page("campaigns.view_campaign")
def checks(request: HttpRequest, campaign_id: int) -> HttpResponse:
    """The check list of the campaign as it was last saved."""
    campaign = get_object_or_404(Campaign, pk=campaign_id)
    found = services.check_campaign(campaign, told=partial(told_count, request))
    return JsonResponse(
        {
            "checks": [{"level": c.level, "message": str(c.message), "field": c.field} for c in found],
            "approval": approval_state(campaign, cast(User, request.user)),
        }
    )


@require_POST
@staff_page("campaigns.launch_campaign")
@answers_problems
def launch(request: HttpRequest, campaign_id: int) -> HttpResponse:
    campaign = get_object_or_404(Campaign, pk=campaign_id)
    services.launch(campaign, actor=actor_name(request))
    return JsonResponse({"url": reverse("campaigns:report", args=[campaign.pk])})


@require_POST
@staff_page("campaigns.launch_campaign")
@answers_problems
def schedule(request: HttpRequest, campaign_id: int) -> HttpResponse:
    campaign = get_object_or_404(Campaign, pk=campaign_id)
    at, now = send_at(read_json(request)), timezone.now()
    timing = Timing.from_json(campaign.timing)
    if at < now - STILL_NOW and timing.mode == "once" and not timing.repeat:
        detail = _("This moment has passed: choose a later one.")
        raise InvalidCampaign(detail, errors=[{"pointer": "/scheduled_at", "detail": detail}])
    at = max(at, now)
    return JsonResponse({"campaign": state_of(services.schedule(campaign, at=at, actor=actor_name(request)))})


@require_POST
@staff_page("campaigns.launch_campaign")
@answers_problems
def unschedule(request: HttpRequest, campaign_id: int) -> HttpResponse:
    campaign = get_object_or_404(Campaign, pk=campaign_id)
    return JsonResponse({"campaign": state_of(services.unschedule(campaign, actor=actor_name(request)))})
