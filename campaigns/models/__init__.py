"""The rows of the campaigns room, by subject."""

from campaigns.models.channels import PushSubscription, SenderAccount
from campaigns.models.limits import FrequencyCap, QuietHours, SendLock, TopicRule, Touch
from campaigns.models.sending import (
    Campaign,
    CampaignKind,
    CampaignStatus,
    Chunk,
    ChunkStatus,
    Delivery,
    DeliveryStatus,
    Fallback,
    Message,
    Rollout,
    RolloutStatus,
    Run,
    RunStatus,
    SkipReason,
)

__all__ = [
    "Campaign", "CampaignKind", "CampaignStatus", "Chunk", "ChunkStatus", "Delivery", "DeliveryStatus",
    "Fallback", "FrequencyCap", "Message", "PushSubscription", "QuietHours", "Rollout", "RolloutStatus",
    "Run", "RunStatus", "SendLock", "SenderAccount", "SkipReason", "TopicRule", "Touch",
]  # fmt: skip
