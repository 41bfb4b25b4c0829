"""Texts in previews: with links as long as they will be, so that what is counted is what will be sent."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from campaigns.channels import Channel
from campaigns.tracking import links, short
from campaigns.tracking.utm import tag_url


def as_sent(
    channel: Channel, rendered: Any, *, keep: str, tracks_clicks: bool, utm: Mapping[str, str]
) -> Any:
    """The rendered message with stand-ins for its links, on channels that shorten them; `keep` is the
    unsubscribe link in it. Raises RenderError."""
    if not channel.shortens_links:
        return rendered
    found = channel.finish(
        rendered,
        track=short.example if tracks_clicks else lambda url: tag_url(url, utm),
        pixel_url="",
        keep=keep,
    )
    unsubscribe = f"{settings.SITE_URL}/t/u/{'0' * links.SHORTEST_TOKEN}"
    return {**found, "body": found["body"].replace(keep, unsubscribe)}
