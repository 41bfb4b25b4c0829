"""The rows of the campaigns room, by subject."""

from campaigns.models.sending import (
    Campaign,
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
    "Campaign", "CampaignStatus", "Chunk", "ChunkStatus", "Delivery", "DeliveryStatus", "Fallback", "Message",
    "Rollout", "RolloutStatus", "Run", "RunStatus", "SkipReason",
]  # fmt: skip
