"""Two pairs of eyes: what a second person said yes to is what goes out, and nothing else.

A yes holds for a digest of what is sent, to whom and by which plan. Any change takes it away by itself.
"""

import hashlib
import json
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from campaigns.errors import InvalidState
from campaigns.models import Approval, ApprovalRule, ApprovalStatus, Campaign, CampaignKind, CampaignStatus
from campaigns.planning.frozen import content_of_campaign
from personalization.access.services import audit

if TYPE_CHECKING:
    from personalization.access.models import User


def digest_of(campaign: Campaign) -> str:
    """SHA-256 in hex over content, segment version, groups and plan. The moment of sending is left out: the
    launch of an approved campaign may be moved."""
    version = campaign.segment.versions.order_by("-number").first() if campaign.segment else None
    content = content_of_campaign(campaign)
    timing = {key: value for key, value in campaign.timing.items() if key != "starts"}
    vouched: dict[str, Any] = {
        "content": {**content, "timing": timing},
        "kind": campaign.kind,
        "segment_version": version.pk if version else None,
        "weights": list(campaign.messages.order_by("position", "pk").values_list("key", "weight")),
        "control_share": campaign.control_share,
        "test_share": campaign.test_share,
        "fallback": campaign.fallback,
        "plan": campaign.plan,
    }
    return hashlib.sha256(json.dumps(vouched, sort_keys=True, default=str).encode()).hexdigest()


def is_needed(campaign: Campaign, *, size: int) -> bool:
    """Whether a rule in force covers the campaign, with so many customers in its segment."""
    rules = ApprovalRule.objects.filter(
        Q(channel="") | Q(channel=campaign.channel), Q(topic="") | Q(topic=campaign.topic), is_active=True
    )
    if campaign.kind != CampaignKind.TRIGGERED:
        rules = rules.filter(at_least__lte=size)
    return rules.exists()


def latest(campaign: Campaign) -> Approval | None:
    """The newest request about the campaign as it is now; None when none was made, or it changed since."""
    return campaign.approvals.filter(digest=digest_of(campaign)).order_by("-pk").first()


def is_approved(campaign: Campaign) -> bool:
    found = latest(campaign)
    return found is not None and found.status == ApprovalStatus.APPROVED


@transaction.atomic
def ask(campaign: Campaign, *, actor: str, user: "User | None", note: str = "") -> Approval:
    """Asks for approval of the campaign as it is saved; an older open request is withdrawn.

    Raises InvalidState when it was launched, or is approved as it is.
    """
    campaign = _locked(campaign)
    if is_approved(campaign):
        raise InvalidState(_("The campaign is approved as it is."))
    withdraw(campaign, actor=actor)
    asked = Approval.objects.create(
        campaign=campaign, digest=digest_of(campaign), note=note.strip()[:1000], requested_by=user,
        requested_as=actor, requested_at=timezone.now(),
    )  # fmt: skip
    audit(actor, "approval.asked", f"campaign:{campaign.pk}", digest=asked.digest)
    return asked


@transaction.atomic
def withdraw(campaign: Campaign, *, actor: str) -> bool:
    """Takes the open request back; False when there is none."""
    changed = campaign.approvals.filter(status=ApprovalStatus.PENDING).update(
        status=ApprovalStatus.WITHDRAWN, decided_as=actor, decided_at=timezone.now()
    )
    if changed:
        audit(actor, "approval.withdrawn", f"campaign:{campaign.pk}")
    return bool(changed)


@transaction.atomic
def decide(campaign: Campaign, *, user: "User", actor: str, approved: bool, comment: str = "") -> Approval:
    """A second person's yes or no. Raises InvalidState for one's own request, for a campaign that changed
    since it was asked for, and when nobody asked."""
    campaign = _locked(campaign)
    asked = campaign.approvals.filter(status=ApprovalStatus.PENDING).first()
    if asked is None:
        raise InvalidState(_("Nobody asks for approval of this campaign any more."))
    if asked.requested_by_id == user.pk:
        raise InvalidState(_("You asked for this approval: somebody else has to give it."))
    if asked.digest != digest_of(campaign):
        raise InvalidState(
            _("The campaign changed since approval was asked for. It has to be asked for anew.")
        )
    if not approved and not comment.strip():
        raise InvalidState(_("Say what should be different."))
    asked.status = ApprovalStatus.APPROVED if approved else ApprovalStatus.DECLINED
    asked.decided_as, asked.decided_at, asked.comment = actor, timezone.now(), comment.strip()[:1000]
    asked.save(update_fields=["status", "decided_as", "decided_at", "comment"])
    audit(actor, f"approval.{asked.status}", f"campaign:{campaign.pk}", digest=asked.digest)
    return asked


def waiting_for(user: "User") -> list[Approval]:
    """Open requests that this member of staff may decide, oldest first."""
    if not user.has_perm("campaigns.approve_campaign"):
        return []
    return list(
        Approval.objects.filter(status=ApprovalStatus.PENDING, campaign__archived_at=None)
        .exclude(requested_by=user)
        .select_related("campaign")
        .order_by("pk")
    )


def _locked(campaign: Campaign) -> Campaign:
    locked = Campaign.objects.select_for_update(of=("self",)).select_related("segment").get(pk=campaign.pk)
    if locked.status not in (CampaignStatus.DRAFT, CampaignStatus.SCHEDULED):
        raise InvalidState(_("The campaign was launched already."))
    return locked
