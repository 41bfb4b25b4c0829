"""Who fetches a message's links before anybody reads it: mail programs, proxies, security gateways.

Known by what they call themselves, and by what no reader does: clicking before the message was sent or within
two seconds, following several links within moments, following a link that nobody can see. Their visits are
kept with the mark `machine` and a reason, and left out of rates, winners and journeys.
"""

import hashlib
import re
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

import crawleruseragents
from django.core.cache import cache
from redis.exceptions import RedisError

# Nobody reads that fast: scanners and prefetchers fetch a message's links the moment it arrives.
QUICK = timedelta(seconds=2)
# So many different links within so many seconds are a scanner's walk.
MANY_LINKS, WALK_SECONDS = 3, 5.0
# A visit to the hidden link speaks for everything around it.
TRAP_SECONDS = 60

# Apple's Mail Privacy Protection loads pictures for everybody, under this bare name; Gmail and Yahoo
# load them by proxies, whether or not somebody looks.
PREFETCH = re.compile(r"^Mozilla/5\.0$|GoogleImageProxy|ggpht\.com|YahooMailProxy|YahooCache", re.IGNORECASE)
GATEWAY = re.compile(
    r"barracuda|mimecast|proofpoint|symantec|messagelabs|forcepoint|trendmicro|sophos|fireeye|trellix|ironport"
    r"|zscaler|safelinks|BingPreview|urldefense|virustotal|wget|curl/|python-|aiohttp|go-http-client|java/"
    r"|libwww|httpclient|headless|phantomjs|node-fetch|axios|scrapy|facebookexternalhit|slackbot|skypeuripreview"
    r"|microsoft office existence|ms-office|link ?check|scanner|preview",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Seen:
    """One fetch. `is_click`: a link, not the picture; `url`: which link."""

    delivery_id: int
    at: datetime
    sent_at: datetime | None
    agent: str
    url: str = ""
    is_click: bool = False
    is_head: bool = False


def machine_reason(seen: Seen) -> str:
    """Why this is no reader: head, agent, prefetch, before, quick, trap, walk; empty for a reader."""
    if seen.is_head:
        return "head"
    if not seen.agent or GATEWAY.search(seen.agent) or crawleruseragents.is_crawler(seen.agent):
        # A click through a crawler's name is its own; Gmail's proxy is in that list as well.
        return "prefetch" if PREFETCH.search(seen.agent) else "agent"
    if PREFETCH.search(seen.agent):
        return "prefetch"
    if seen.sent_at is not None and seen.at < seen.sent_at:
        return "before"
    if seen.sent_at is not None and seen.at - seen.sent_at < QUICK:
        return "quick"
    try:
        if cache.get(_trap(seen.delivery_id)):
            return "trap"
        return "walk" if seen.is_click and _walks(seen) else ""
    except RedisError:
        return ""


def spring_trap(delivery_id: int) -> None:
    """Somebody followed the link that nobody can see."""
    try:
        cache.set(_trap(delivery_id), 1, timeout=TRAP_SECONDS)
    except RedisError:
        return


def _walks(seen: Seen) -> bool:
    """Whether this click is one of many within moments. Two clicks at the same instant may miss each other;
    the third of a walk finds them."""
    key, now = f"campaigns:clicks:{seen.delivery_id}", seen.at.timestamp() if seen.at else time.time()
    name = hashlib.blake2b(seen.url.encode(), digest_size=8).hexdigest()
    before = [(at, url) for at, url in cache.get(key) or [] if now - at < WALK_SECONDS]
    cache.set(key, [*before, (now, name)][-20:], timeout=60)
    return len({url for _at, url in before} | {name}) >= MANY_LINKS


def _trap(delivery_id: int) -> str:
    return f"campaigns:trap:{delivery_id}"
