"""What a campaign says at this moment, as a launch freezes it and an approval vouches for it."""

from collections.abc import Sequence
from typing import Any

from campaigns.channels import PARTS, texts_in
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
        **({} if campaign.tracks_clicks else {"tracks_clicks": False}),
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
    written = {
        "subject": message.subject, "preheader": message.preheader, "body": message.body,
        "fields": message.fields, "missing": message.missing,
    }  # fmt: skip
    return with_named({**written, **({"translations": t} if (t := message.translations) else {})})


def with_named(content: dict[str, Any]) -> dict[str, Any]:
    """The content with the blocks and phrase sets that any of its texts names."""
    texts = texts_in(content).values()
    return {
        **content,
        **named_in([s for t in texts for s in (*(t[p] for p in PARTS), *t["fields"].values())]),
    }


def named_in(sources: Sequence[str]) -> dict[str, Any]:
    """The blocks and phrase sets that texts name, as they are now."""
    blocks = blocks_named(*sources)
    within = [text for block in blocks.values() for text in block["texts"].values()]
    return {"blocks": blocks, "phrases": phrases_named(*sources, *within)}
