"""Hints on what makes spam filters and mail programs frown at a message; nothing here blocks a sending.

The rules are those that receivers publish or that SpamAssassin's stock rules score: no text beside pictures,
pictures without alternative text or width, shouting subjects, shortened or bare-number links.
"""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from personalization.content.errors import Problem
from personalization.content.messages import CompiledMessage

IMAGE = re.compile(r"<img\b[^>]*>", re.IGNORECASE)
ATTRIBUTE = re.compile(r"\b(alt|width)\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s>]+)", re.IGNORECASE)
TAGS = re.compile(r"<style.*?</style>|<[^>]+>|\{[{%].*?[%}]\}", re.IGNORECASE | re.DOTALL)
SHORTENERS = frozenset({"bit.ly", "goo.gl", "is.gd", "ow.ly", "t.co", "tinyurl.com", "rb.gy", "cutt.ly"})
NUMBERS = re.compile(r"[0-9.]+|\[[0-9a-fA-F:.]+\]")
LONG_SUBJECT = 78
MANY_LINKS = 50


def check_html(compiled: CompiledMessage, *, subject: str) -> list[Problem]:
    """Warnings only."""
    html = str(compiled.html)
    found = [*_subject(subject), *_images(html), *_links(compiled.links)]
    return [Problem(field, text, level="warning") for field, text in found]


def _subject(subject: str) -> Iterator[tuple[str, str]]:
    bare = TAGS.sub("", subject)
    letters = [c for c in bare if c.isalpha()]
    if len(letters) > 8 and sum(c.isupper() for c in letters) / len(letters) > 0.7:
        yield "subject", _("A subject in capitals looks like spam.")
    if bare.count("!") > 1 or bare.count("?") > 2:
        yield "subject", _("Repeated exclamation or question marks look like spam.")
    if re.match(r"\s*(re|fwd?)\s*:", bare, re.IGNORECASE):
        yield "subject", _("“Re:” and “Fwd:” feign a conversation; receivers mark that.")
    if len(bare) > LONG_SUBJECT:
        yield (
            "subject",
            _("Phones show about 40 characters of a subject; this one has %(n)s.") % {"n": len(bare)},
        )


def _images(html: str) -> Iterator[tuple[str, str]]:
    pictures = [{m[1].lower() for m in ATTRIBUTE.finditer(tag)} for tag in IMAGE.findall(html)]
    without_alt = sum("alt" not in names for names in pictures)
    without_width = sum("width" not in names for names in pictures)
    if without_alt:
        yield "body", _("Pictures without alternative text (alt): %(n)s.") % {"n": without_alt}
    if without_width:
        yield (
            "body",
            _("Pictures without a width: %(n)s. Outlook shows them in their full size.")
            % {"n": without_width},
        )
    words = len(TAGS.sub(" ", html).split())
    if pictures and words < 20 * len(pictures) and words < 60:
        yield "body", _("Much picture and little text: filters cannot read pictures and distrust that.")


def _links(links: list[str]) -> Iterator[tuple[str, str]]:
    hosts = set()
    for link in links:
        try:
            hosts.add(urlsplit(link).hostname or "")
        except ValueError:
            yield "body", _("A link is not a valid address: %(link)s") % {"link": link[:80]}
    if shortened := sorted(hosts & SHORTENERS):
        yield "body", _("Shortened links hide where they lead: %(hosts)s.") % {"hosts": ", ".join(shortened)}
    if any(NUMBERS.fullmatch(host) for host in hosts if host):
        yield "body", _("A link leads to a bare number instead of a name.")
    if any(link.startswith("http://") for link in links):
        yield "body", _("Some links are not encrypted: write https://.")
    if len(links) > MANY_LINKS:
        yield "body", _("There are %(n)s links; many links look like spam.") % {"n": len(links)}
