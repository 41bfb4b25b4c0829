"""Files at addresses: fetched into a file of ours, only from where `access.outbound` lets us call."""

from collections.abc import Mapping
from http.client import HTTPResponse
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from personalization.access.outbound import ForbiddenAddress, Line, check_url
from personalization.importing.reading import UnreadableFile, format_of

TIMEOUT_SECONDS = 30.0
PIECE_BYTES = 1 << 20


def suffix_of(url: str) -> str:
    """The ending of the path, which tells the format. Raises UnreadableFile."""
    name = Path(urlsplit(url).path).name
    format_of(name)
    return Path(name).suffix.lower()


def fetch_file(url: str, into: IO[bytes], *, known: Mapping[str, Any]) -> dict[str, str] | None:
    """Writes the file; answers what recognizes this version of it, None when `known` is still the newest.

    Raises UnreadableFile for an address that is not called and an answer that is not the file.
    """
    line = None
    try:
        parts = check_url(url)
        line = Line(parts, timeout=TIMEOUT_SECONDS)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        line.request("GET", path, headers=_headers(known))
        answer = line.getresponse()
        if answer.status == 304:
            return None
        if answer.status != 200:
            raise UnreadableFile(_("The server answered %(status)s.") % {"status": answer.status})
        _copy(answer, into)
        return {"etag": answer.headers.get("ETag", ""), "modified": answer.headers.get("Last-Modified", "")}
    except ForbiddenAddress as error:
        raise UnreadableFile(_("This address is not called: %(why)s.") % {"why": error.said}) from None
    except OSError as error:
        raise UnreadableFile(
            _("The server cannot be reached: %(why)s.") % {"why": type(error).__name__}
        ) from None
    finally:
        if line:
            line.close()


def _headers(known: Mapping[str, Any]) -> dict[str, str]:
    headers = {"User-Agent": "Bespoke", "Accept-Encoding": "identity"}
    if known.get("etag"):
        headers["If-None-Match"] = str(known["etag"])
    elif known.get("modified"):
        headers["If-Modified-Since"] = str(known["modified"])
    return headers


def _copy(answer: HTTPResponse, into: IO[bytes]) -> None:
    size = 0
    while piece := answer.read(PIECE_BYTES):
        size += len(piece)
        if size > settings.IMPORT_MAX_BYTES:
            raise UnreadableFile(_("The file is too large."))
        into.write(piece)
    if answer.length:
        raise UnreadableFile(_("The answer ended too early."))
