"""Links and pictures of rendered messages, really asked for: do they answer, and are pictures pictures?

Every call goes through `access.outbound`. HEAD, and GET only where a server does not know HEAD; no redirect
is followed, no body read. The unsubscribe link is never called, nor is an address that only differs in what
follows the question mark called more than once.
"""

import http.client
import re
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from html import unescape
from time import monotonic
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from personalization.access.outbound import ForbiddenAddress, Line, check_url

MOST = 60
THREADS = 6
SECONDS_EACH, SECONDS_ALL = 4.0, 20.0
LARGE_PICTURE_BYTES = 1_000_000
SOURCE = re.compile(r"<(a|img|area)\b[^<>]*?\s(?:href|src)=(?:\"([^\"]*)\"|'([^']*)')", re.IGNORECASE)
GET_INSTEAD = frozenset({405, 501})


@dataclass(frozen=True)
class Address:
    url: str
    is_picture: bool


@dataclass(frozen=True)
class Verdict:
    """`level`: ok, warning, error; unknown: not called. `status`: HTTP, None without answer."""

    url: str
    is_picture: bool
    level: str
    sentence: str
    status: int | None = None


def addresses_in(pages: Iterable[str], *, leave_out: Sequence[str] = ()) -> list[Address]:
    """Web addresses of links and pictures, each once, in the order of the messages."""
    found: dict[tuple[str, bool], Address] = {}
    for html in pages:
        for tag, double, single in SOURCE.findall(html):
            url, is_picture = unescape(double or single).strip(), tag.lower() == "img"
            if url.startswith(("http://", "https://")) and url not in leave_out:
                found.setdefault((url.partition("?")[0], is_picture), Address(url, is_picture))
    return list(found.values())


def check_addresses(addresses: Sequence[Address]) -> list[Verdict]:
    """In the same order; those above the limit or after the time are told as not looked at."""
    ends_at = monotonic() + SECONDS_ALL
    with ThreadPoolExecutor(THREADS) as threads:
        found = list(threads.map(lambda one: _look(one, ends_at), addresses[:MOST]))
    # Sentences are made here: the caller's language is not that of the threads.
    beyond = _("Not looked at: too many addresses.")
    return [
        *(_judge(*one) for one in found),
        *(Verdict(one.url, one.is_picture, "unknown", beyond) for one in addresses[MOST:]),
    ]


Answer = tuple[Address, str, int | None, str, int | None]


def _look(address: Address, ends_at: float) -> Answer:
    """The address, what went wrong ("" nothing), status, media type and length in bytes."""
    left = ends_at - monotonic()
    if left <= 0:
        return address, "late", None, "", None
    try:
        parts = check_url(address.url)
    except ForbiddenAddress as error:
        return address, f"forbidden {error}", None, "", None
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    for method in ("HEAD", "GET"):
        line = Line(parts, timeout=min(SECONDS_EACH, left))
        try:
            line.request(method, path, headers={"User-Agent": "Bespoke link check", "Accept": "*/*"})
            answer = line.getresponse()
            length = answer.headers.get("Content-Length", "")
            if answer.status in GET_INSTEAD and method == "HEAD":
                continue
            kind = answer.headers.get_content_type() if answer.headers.get("Content-Type") else ""
            return address, "", answer.status, kind, int(length) if length.isdecimal() else None
        except ForbiddenAddress as error:
            return address, f"forbidden {error}", None, "", None
        except (OSError, http.client.HTTPException) as error:
            return address, type(error).__name__, None, "", None
        finally:
            line.close()
    raise AssertionError("GET always answers")


def _judge(address: Address, trouble: str, status: int | None, kind: str, length: int | None) -> Verdict:
    level, sentence = _sentence(address, trouble, status, kind, length)
    return Verdict(address.url, address.is_picture, level, sentence, status)


def _sentence(
    address: Address, trouble: str, status: int | None, kind: str, length: int | None
) -> tuple[str, str]:
    if trouble == "late":
        return "unknown", _("Not looked at: the time was over.")
    if trouble.startswith("forbidden "):
        why = _(trouble.removeprefix("forbidden "))  # asked in a thread, which speaks English
        return "unknown", _("Not called from here: %(why)s.") % {"why": why}
    if trouble or status is None:
        host = urlsplit(address.url).hostname or ""
        return "error", _("%(host)s does not answer (%(why)s).") % {"host": host, "why": trouble}
    if status >= 400:
        return "error", _("The server answers %(status)s.") % {"status": status}
    if status >= 300:
        return "warning", _("It leads on to another address (%(status)s).") % {"status": status}
    if address.is_picture and kind and not kind.startswith("image/"):
        return "error", _("This is no picture but %(kind)s.") % {"kind": kind}
    if address.is_picture and length and length > LARGE_PICTURE_BYTES:
        return "warning", _("The picture is large: %(kb)s kB.") % {"kb": round(length / 1000)}
    return "ok", _("It answers.")
