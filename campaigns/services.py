"""Writes of the campaigns room: planning, launching and steering. Sending itself lives in `sending`.

`actor` is the name in the audit log (`access.services.actor_name`).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from campaigns.errors import InvalidCampaign, InvalidState
from campaigns.launching.launch import launch
from campaigns.learning_plan import check_allocation
from campaigns.models import Campaign, CampaignKind, CampaignStatus, Fallback, Message
from campaigns.planning.checks import Check, check_campaign
from campaigns.planning.competing import draft_plan, entrants
from campaigns.planning.drafts import MessageDraft, validate, validate_test
from campaigns.planning.readiness import editable, locked, must_be_ready
from campaigns.planning.translations import clean_translations
from campaigns.schedule.planning import next_launch, plan_launch
from campaigns.schedule.words import read_timing
from campaigns.steering import cancel, change_rate, close, pause, resume, retry_failed
from campaigns.tracking.utm import wrong_utm
from experiments.models import Allocation, Holdout
from personalization.access.services import audit
from personalization.segments.models import Segment

if TYPE_CHECKING:
    from personalization.access.models import User

__all__ = [
    "Check", "MessageDraft", "cancel", "change_rate", "check_campaign", "close", "launch", "pause", "resume",
    "retry_failed", "save_campaign", "schedule", "unschedule",
]  # fmt: skip


@transaction.atomic
def save_campaign(
    campaign: Campaign | None,
    *,
    name: str,
    segment: Segment | None,
    messages: Sequence[MessageDraft],
    sender_address: str | None = None,
    sender_name: str = "",
    topic: str = "marketing",
    channel: str = "email",
    control_share: float | None = None,
    plan: Mapping[str, Any] | None = None,
    test_share: float = 1.0,
    fallback: str = Fallback.BASELINE,
    allocation: str = Allocation.FIXED,
    learning: Mapping[str, Any] | None = None,
    holdout: Holdout | None = None,
    kind: str = CampaignKind.BROADCAST,
    timing: Mapping[str, Any] | None = None,
    utm: Mapping[str, str] | None = None,
    tracks_clicks: bool = True,
    actor: str,
    created_by: "User | None" = None,
) -> Campaign:
    """Creates the campaign (None) or replaces it with its messages; unfinished ones may be saved.

    `sender_address` None: the shop's own. `timing` as schedule.timing.Timing. Raises InvalidCampaign,
    InvalidPlan, and InvalidState once it was launched.
    """
    control_share = _usual_share(kind) if control_share is None else control_share
    validate(name=name, topic=topic, channel=channel, control_share=control_share, messages=messages)
    validate_test(test_share=test_share, fallback=fallback)
    check_allocation(
        allocation, learning or {}, messages=len(messages), test_share=test_share,
        is_broadcast=kind == CampaignKind.BROADCAST,
    )  # fmt: skip
    planned = read_timing(timing or {})
    _check_utm(utm or {})
    if campaign is not None:
        campaign = editable(campaign, otherwise=_("A launched campaign can no longer be changed."))
    campaign = campaign or Campaign(created_by=created_by)
    campaign.name, campaign.segment, campaign.topic, campaign.channel = name.strip(), segment, topic, channel
    campaign.sender_name = sender_name.strip()
    campaign.sender_address = settings.DEFAULT_SENDER if sender_address is None else sender_address.strip()
    campaign.control_share, campaign.holdout = control_share, holdout
    campaign.plan, campaign.test_share, campaign.fallback = dict(plan or {}), test_share, fallback
    campaign.allocation, campaign.learning = allocation, dict(learning or {})
    campaign.kind, campaign.timing = CampaignKind(kind), planned.as_json()
    campaign.utm = {name: value for name, value in (utm or {}).items() if value}
    campaign.tracks_clicks = tracks_clicks
    draft_plan(campaign, entrants(messages, control_share))
    campaign.save()
    _replace_messages(campaign, messages)
    audit(actor, "campaign.saved", f"campaign:{campaign.pk}", messages=len(messages))
    return campaign


def _usual_share(kind: str) -> float:
    """Nobody is kept from what was triggered: they wait for it, as for the confirmation of an order."""
    return 0.0 if kind == CampaignKind.TRIGGERED else 0.1


def _check_utm(utm: Mapping[str, str]) -> None:
    if wrong_utm(dict(utm)):
        detail = _("UTM parameters are short texts: source, medium, campaign, term, content.")
        raise InvalidCampaign(errors=[{"pointer": "/utm", "detail": detail}])


def _replace_messages(campaign: Campaign, messages: Sequence[MessageDraft]) -> None:
    campaign.messages.all().delete()
    Message.objects.bulk_create(
        Message(
            campaign=campaign, key=m.key, name=m.name or m.key, position=position, weight=m.weight,
            subject=m.subject, preheader=m.preheader, body=m.body, fields=dict(m.fields),
            translations=clean_translations(m.translations),
            item_count=m.item_count, rules=m.rules.as_json(), missing=m.missing,
        )
        for position, m in enumerate(messages)
    )  # fmt: skip


@transaction.atomic
def schedule(campaign: Campaign, *, at: datetime, actor: str) -> Campaign:
    """Plans the launch; the tick carries it out. For a repeated campaign `at` is the first time of day that
    it repeats; by local time it is launched when the first clocks on earth show it. Raises CampaignNotReady,
    InvalidState, InvalidCampaign."""
    campaign = editable(campaign, otherwise=_("The campaign was launched already."))
    must_be_ready(campaign, now=timezone.now())
    planned = plan_launch(campaign, at=at, now=timezone.now())
    campaign.status, campaign.scheduled_at, campaign.problem = CampaignStatus.SCHEDULED, planned, ""
    campaign.language = get_language() or settings.LANGUAGE_CODE
    campaign.save(update_fields=["status", "scheduled_at", "problem", "language", "timing", "updated_at"])
    audit(actor, "campaign.scheduled", f"campaign:{campaign.pk}", at=at.isoformat())
    return campaign


@transaction.atomic
def unschedule(campaign: Campaign, *, actor: str, problem: str = "") -> Campaign:
    """Back to a draft. `problem` says what hindered a launch that was due: then a repeated campaign stays
    planned, for its next time. Raises InvalidState."""
    campaign = locked(campaign)
    if campaign.status != CampaignStatus.SCHEDULED:
        raise InvalidState(_("The campaign is not scheduled."))
    upcoming = next_launch(campaign, now=timezone.now()) if problem else None
    campaign.status = CampaignStatus.SCHEDULED if upcoming else CampaignStatus.DRAFT
    campaign.scheduled_at, campaign.problem = upcoming, problem[:500]
    campaign.save(update_fields=["status", "scheduled_at", "problem", "updated_at"])
    action = "campaign.hindered" if upcoming else "campaign.unscheduled"
    audit(actor, action, f"campaign:{campaign.pk}", problem=problem)
    return campaign
