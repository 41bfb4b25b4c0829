"""The rows of the campaigns room, by subject."""

from campaigns.models.approval import Approval, ApprovalRule, ApprovalStatus
from campaigns.models.campaigns import Campaign, CampaignKind, CampaignStatus, Fallback, Message
from campaigns.models.channels import PushSubscription, SenderAccount, WarmUpDay
from campaigns.models.copies import CopyPattern, SentCopy
from campaigns.models.coupons import CouponCode, CouponPool
from campaigns.models.feedback import Bounce, BounceKind
from campaigns.models.fetching import ContentSource
from campaigns.models.journeys import (
    CallStatus,
    ItemLook,
    Journey,
    JourneyDraft,
    JourneyMember,
    JourneyStatus,
    JourneyVersion,
    Passage,
    PassageStatus,
    PassageStep,
    Trigger,
    WebhookCall,
)
from campaigns.models.learning import Learning, LearningStatus
from campaigns.models.limits import FrequencyCap, QuietHours, SendLock, TopicRule, Touch
from campaigns.models.rehearsals import Rehearsal
from campaigns.models.sending import (
    Chunk,
    ChunkStatus,
    Delivery,
    DeliveryStatus,
    Rollout,
    RolloutStatus,
    Run,
    RunStatus,
    SkipReason,
)
from campaigns.models.sharing import ReportLink
from campaigns.models.short_links import ShortLink
from campaigns.models.suggestions import SuggestedField, Suggestion, SuggestionStatus
from campaigns.models.webhooks import Telling, TellingStatus, WebhookEndpoint

__all__ = [
    "Approval", "ApprovalRule", "ApprovalStatus",
    "Bounce", "BounceKind", "CallStatus", "Campaign", "CampaignKind", "CampaignStatus", "Chunk",
    "ChunkStatus", "ContentSource", "CopyPattern", "CouponCode", "CouponPool", "Delivery", "DeliveryStatus",
    "Fallback", "FrequencyCap", "ItemLook", "Journey", "JourneyDraft",
    "JourneyMember", "JourneyStatus", "JourneyVersion", "Learning",
    "LearningStatus", "Message", "Passage", "PassageStatus", "PassageStep", "PushSubscription", "QuietHours",
    "Rehearsal", "ReportLink",
    "Rollout", "RolloutStatus", "Run", "RunStatus", "SendLock", "SenderAccount", "SentCopy",
    "ShortLink", "SkipReason",
    "SuggestedField", "Suggestion", "SuggestionStatus", "Telling", "TellingStatus", "TopicRule", "Touch",
    "Trigger", "WarmUpDay", "WebhookCall", "WebhookEndpoint",
]  # fmt: skip
