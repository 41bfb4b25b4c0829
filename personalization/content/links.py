"""Links of rendered HTML: which addresses are allowed, and how they are changed for tracking."""

import re
from collections.abc import Callable, Collection
from functools import lru_cache
from html import unescape

import markupsafe

ALLOWED_SCHEMES = {"http", "https", "mailto", "tel", "sms", "cid"}
# Browsers drop these inside an address before they look at its scheme.
IGNORED = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029\ufeff\u200b-\u200f]+")
SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.\-]*):")
INLINE_IMAGE = re.compile(r"data:image/(?:png|gif|jpeg|webp);base64,[A-Za-z0-9+/=]*", re.IGNORECASE)
BODY_END = re.compile(r"</body", re.IGNORECASE)
# The library's `escape` wraps the same text in a class, which costs more than escaping it.
escape_text: Callable[[str], str] = getattr(markupsafe, "_escape_inner", markupsafe.escape)
END = 500  # characters, in which the end of the body nearly always is
ANCHOR = re.compile(r"<a\s([^<>]*?)\bhref=(?:\"([^\"]*)\"|'([^']*)')([^<>]*)>", re.IGNORECASE)
ANCHORS = re.compile(r"(<a\s[^<>]*?\bhref=(?:\"[^\"]*\"|'[^']*')[^<>]*>)", re.IGNORECASE)  # to split at


def is_allowed_url(url: str, *, image: bool = False) -> bool:
    """Whether an unescaped address may stand in a message: relative, or with a harmless scheme.

    `image` also admits pictures carried inside the address.
    """
    bare = IGNORED.sub("", url)
    found = SCHEME.match(bare)
    if found is None:
        # "&colon;" and its kind were decoded by the caller; a colon before any slash without a letter is odd.
        return not bare.startswith(":")
    if found[1].lower() in ALLOWED_SCHEMES:
        return True
    return image and INLINE_IMAGE.fullmatch(bare) is not None


def rewrite_links(html: str, make_url: Callable[[str], str | None], *, keep: Collection[str] = ()) -> str:
    """The HTML with every http(s) link replaced by `make_url(address)`, asked once for each address; None
    leaves a link as it is.

    Left alone: mailto:, tel:, # and other non-web addresses, those in `keep` (the unsubscribe address), and
    links with the attribute `data-no-track`. Addresses are given and taken unescaped.
    """

    made: dict[str, str | None] = {}  # most addresses stand in a message twice, at a picture and a name
    pieces = ANCHORS.split(html)
    for place in range(1, len(pieces), 2):
        found = _web_link(pieces[place])
        if found is None:
            continue
        before, url, after = found
        if url not in made:
            new = None if url in keep else make_url(url)
            made[url] = None if new is None else escape_text(new)
        if (address := made[url]) is not None:
            pieces[place] = f"{before}{address}{after}"
    return "".join(pieces)


@lru_cache(maxsize=4096)  # messages share most of their links
def _web_link(tag: str) -> tuple[str, str, str] | None:
    """What stands before the address of a tag as ANCHOR finds it, the address, and what comes after; None
    for what is not replaced."""
    match = ANCHOR.match(tag)
    assert match is not None
    before, double, single, after = match.groups()
    url = unescape(double if double is not None else single or "")
    if not url.startswith(("http://", "https://")) or "data-no-track" in before or "data-no-track" in after:
        return None
    return f'<a {before}href="', url, f'"{after}>'


def add_at_end(html: str, *, pixel_url: str, trap_url: str = "") -> str:
    """The HTML with an invisible picture at its end, loaded when the message is opened. With `trap_url` also
    with a link that no reader sees or reaches by keyboard; what follows all links does."""
    added = (
        f'<img src="{escape_text(pixel_url)}" width="1" height="1" alt=""'
        ' style="display:block;border:0;width:1px;height:1px">'
    )
    if trap_url:
        added += (
            f'<a href="{escape_text(trap_url)}" data-no-track="" tabindex="-1" aria-hidden="true"'
            ' style="display:none;font-size:0;line-height:0;max-height:0;overflow:hidden"></a>'
        )
    ends = [match.start() for match in BODY_END.finditer(html, max(len(html) - END, 0))]
    if not ends:
        ends = [match.start() for match in BODY_END.finditer(html)] or [len(html)]
    return html[: ends[-1]] + added + html[ends[-1] :]


def find_links(html: str) -> list[str]:
    """The addresses of all links, unescaped, in order, Liquid left as written."""
    return [unescape(m[2] if m[2] is not None else m[3]) for m in ANCHOR.finditer(html)]
