"""UTM parameters on the links of a campaign. Pure."""

import re
from collections.abc import Mapping
from urllib.parse import quote, urlsplit, urlunsplit

NAMES = ("source", "medium", "campaign", "term", "content")
MAX_VALUE = 100


def tag_url(url: str, utm: Mapping[str, str]) -> str:
    """The address with `utm_…` parameters; those it has already win. Nothing else of it changes."""
    if not utm:
        return url
    parts = urlsplit(url)
    given = {pair.partition("=")[0] for pair in parts.query.split("&")}
    added = [
        f"utm_{name}={quote(utm[name], safe='')}"
        for name in NAMES
        if utm.get(name) and f"utm_{name}" not in given
    ]
    query = "&".join(filter(None, [parts.query, *added]))
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, parts.fragment))


def utm_of(wishes: Mapping[str, str], *, channel: str, campaign: str, variant: str) -> dict[str, str]:
    """The parameters of one variant's links: as wished, and where nothing is said channel, campaign and
    variant. Without a source there are none."""
    if not wishes.get("source"):
        return {}
    slug = re.sub(r"[^\w-]+", "-", campaign.lower()).strip("-")[:MAX_VALUE]
    return {"medium": channel, "campaign": slug, "content": variant, **{k: v for k, v in wishes.items() if v}}


def wrong_utm(wishes: object) -> bool:
    """Whether this is no object of known names and short texts."""
    return not isinstance(wishes, dict) or not all(
        name in NAMES and isinstance(value, str) and len(value) <= MAX_VALUE and value.isprintable()
        for name, value in wishes.items()
    )
