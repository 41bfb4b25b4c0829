"""Where a campaign stands between asking for approval and the answer, for editor and API."""

from typing import TYPE_CHECKING, Any

from campaigns.models import ApprovalStatus, Campaign
from campaigns.planning.approval import latest

if TYPE_CHECKING:
    from personalization.access.models import User


def approval_state(campaign: Campaign, user: "User | None") -> dict[str, Any]:
    """`status` is empty when nobody asked about the campaign as it is now. Each `may_` is about `user`."""
    found = latest(campaign)
    is_open = found is not None and found.status == ApprovalStatus.PENDING
    may_edit = user is not None and user.has_perm("campaigns.change_campaign")
    return {
        "status": found.status if found and found.status != ApprovalStatus.WITHDRAWN else "",
        "note": found.note if found else "",
        "asked_by": _name(found.requested_as) if found else "",
        "asked_at": found.requested_at if found else None,
        "comment": found.comment if found else "",
        "decided_by": _name(found.decided_as) if found else "",
        "decided_at": found.decided_at if found else None,
        "may_ask": may_edit and not is_open,
        "may_withdraw": may_edit and is_open,
        "may_decide": bool(
            found and is_open and user and user.pk != found.requested_by_id
            and user.has_perm("campaigns.approve_campaign")
        ),
    }  # fmt: skip


def _name(actor: str) -> str:
    return actor.partition(":")[2] or actor
