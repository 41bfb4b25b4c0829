"""A campaign copied, put away and taken out again."""

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from campaigns import services
from campaigns.errors import InvalidState
from campaigns.models import Campaign, CampaignStatus, Message, RunStatus
from personalization.access.services import audit
from recommender.ranking.rules import Rules

if TYPE_CHECKING:
    from personalization.access.models import User

COPIED = (
    "segment", "sender_address", "sender_name", "topic", "channel", "control_share", "plan", "test_share",
    "fallback", "allocation", "learning", "holdout", "kind", "utm",
    "tracks_clicks",
)  # fmt: skip


def duplicate(campaign: Campaign, *, actor: str, created_by: "User | None" = None) -> Campaign:
    """A draft that says and plans the same, also of a launched campaign; its dates are left out."""
    kept: dict[str, Any] = {name: getattr(campaign, name) for name in COPIED}
    timing = {key: value for key, value in campaign.timing.items() if key != "starts"}
    return services.save_campaign(
        None, name=_copy_name(campaign.name), **kept, timing=timing,
        messages=[_draft(message) for message in campaign.messages.order_by("position", "pk")],
        actor=actor, created_by=created_by,
    )  # fmt: skip


def _copy_name(name: str) -> str:
    whole = _("%(name)s (copy)")
    room = 200 - len(whole % {"name": ""})
    return whole % {"name": name[:room]}


def _draft(message: Message) -> services.MessageDraft:
    return services.MessageDraft(
        key=message.key, name=message.name, weight=message.weight, subject=message.subject,
        preheader=message.preheader, body=message.body, item_count=message.item_count,
        rules=Rules.from_json(message.rules), fields=message.fields, missing=message.missing,
        translations=message.translations,
    )  # fmt: skip


@transaction.atomic
def archive(campaign: Campaign, *, actor: str) -> None:
    """Out of lists and calendar; report and ledger stay. Raises InvalidState while it sends, takes people in
    or is planned."""
    locked = Campaign.objects.select_for_update().get(pk=campaign.pk)
    if locked.status == CampaignStatus.SCHEDULED:
        raise InvalidState(_("Take back the schedule first."))
    if locked.runs.filter(status__in=(RunStatus.SENDING, RunStatus.PAUSED)).exists():
        raise InvalidState(_("It is still being sent. Let it finish, or cancel it first."))
    if locked.archived_at is None:
        Campaign.objects.filter(pk=locked.pk).update(archived_at=timezone.now())
        audit(actor, "campaign.archived", f"campaign:{locked.pk}")


@transaction.atomic
def restore(campaign: Campaign, *, actor: str) -> None:
    """Takes it out of the archive."""
    if Campaign.objects.filter(pk=campaign.pk).exclude(archived_at=None).update(archived_at=None):
        audit(actor, "campaign.restored", f"campaign:{campaign.pk}")
