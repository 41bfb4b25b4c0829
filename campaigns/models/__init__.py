"""The rows of the campaigns room, by subject."""

from campaigns.models.channels import PushSubscription, SenderAccount
from campaigns.models.journeys import (
    CallStatus,
    ItemLook,
    Journey,
    JourneyMember,
    JourneyStatus,
    JourneyVersion,
    Passage,
    PassageStatus,
    PassageStep,
    Trigger,
    WebhookCall,
)
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
    "CallStatus", "Campaign", "CampaignKind", "CampaignStatus", "Chunk", "ChunkStatus", "Delivery",
    "DeliveryStatus", "Fallback", "FrequencyCap", "ItemLook", "Journey", "JourneyMember", "JourneyStatus",
    "JourneyVersion", "Message", "Passage", "PassageStatus", "PassageStep", "PushSubscription", "QuietHours",
    "Rollout", "RolloutStatus", "Run", "RunStatus", "SendLock", "SenderAccount", "SkipReason", "TopicRule",
    "Touch", "Trigger", "WebhookCall",
]  # fmt: skip
