"""The rows of the campaigns room, by subject."""

from campaigns.models.learning import Learning, LearningStatus
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
    "Fallback", "FrequencyCap", "Learning", "LearningStatus",
    "Message", "QuietHours", "Rollout", "RolloutStatus", "Run", "RunStatus",
    "SendLock", "SkipReason", "TopicRule", "Touch",
]  # fmt: skip
