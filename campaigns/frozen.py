"""What a campaign says at this moment, as a launch freezes it and an approval vouches for it."""

from collections.abc import Sequence
from typing import Any

from campaigns.models import Campaign, Message
from personalization.content.phrase_selectors import phrases_named
from personalization.content.selectors import blocks_named


def content_of_campaign(campaign: Campaign) -> dict[str, object]:
    """`Run.content` without the experiments inside of the messages, which begin with the launch."""
    return {
        "channel": campaign.channel,
        "holdout": campaign.holdout_id,
        "topic": campaign.topic,
        "allocation": campaign.allocation,
        "learning": campaign.learning,
        "timing": campaign.timing,
        "utm": campaign.utm,
        "campaign_name": campaign.name,
        "sender_name": campaign.sender_name,
        "sender_address": campaign.sender_address,
        "variants": {
            m.key: {
                **content_of(m), "name": m.name, "item_count": m.item_count, "rules": m.rules,
            }
            for m in campaign.messages.order_by("position", "pk")
        },
    }  # fmt: skip


def content_of(message: Message) -> dict[str, Any]:
    """What a channel compiles, as `Run.content` freezes it."""
    sources = [message.subject, message.preheader, message.body, *message.fields.values()]
    return {
        "subject": message.subject, "preheader": message.preheader, "body": message.body,
        "fields": message.fields, "missing": message.missing, **named_in(sources),
    }  # fmt: skip


def named_in(sources: Sequence[str]) -> dict[str, Any]:
    """The blocks and phrase sets that texts name, as they are now."""
    blocks = blocks_named(*sources)
    within = [text for block in blocks.values() for text in block["texts"].values()]
    return {"blocks": blocks, "phrases": phrases_named(*sources, *within)}
