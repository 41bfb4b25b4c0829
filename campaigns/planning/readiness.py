"""Whether a campaign may still be changed, and whether it may go."""

from datetime import datetime

from campaigns.errors import CampaignNotReady, InvalidState
from campaigns.models import Campaign, CampaignStatus
from campaigns.planning.checks import check_campaign

EDITABLE = (CampaignStatus.DRAFT, CampaignStatus.SCHEDULED)


def locked(campaign: Campaign) -> Campaign:
    # Its key stays: rows that refer to it may be written meanwhile.
    rows = Campaign.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("segment").get(pk=campaign.pk)


def editable(campaign: Campaign, *, otherwise: str) -> Campaign:
    """Locked. Raises InvalidState with the sentence `otherwise`."""
    campaign = locked(campaign)
    if campaign.status not in EDITABLE:
        raise InvalidState(otherwise)
    return campaign


def must_be_ready(campaign: Campaign, *, now: datetime, besides: str = "") -> None:
    errors = [
        check
        for check in check_campaign(campaign, now=now)
        if check.level == "error" and check.field != (besides or None)
    ]
    if errors:
        raise CampaignNotReady(
            " ".join(check.message for check in errors),
            errors=[{"pointer": f"/{check.field}", "detail": check.message} for check in errors],
        )
