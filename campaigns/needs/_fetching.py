"""Asks the servers of connected content, many questions at once, within a fixed time.

Only addresses of the allow-list (`ContentSource`) are called, by the common guard of outgoing calls: public
addresses only, looked up once, redirects never followed. A whole answer has one deadline, however slowly it
drips; a source that fails again and again is left alone for the rest of the batch.
"""

import hashlib
import http.client
import json
import socket
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlencode, urlsplit

from django.core.cache import cache

from campaigns.models import ContentSource
from personalization.access.outbound import ForbiddenAddress, Line, check_url

WORKERS = 16
BATCH_SECONDS = 12.0  # in which questions of a chunk are begun; with the longest wait, less than its lease
FAILURES = 5  # one after the other, then no more is asked in this batch
FAILED_SECONDS = 30  # so long a failed question is not asked again
MAX_DEPTH = 12
PIECE = 16_384


@dataclass(frozen=True)
class Answer:
    """`value` as templates see it, or why there is none in `trouble`."""

    value: Any = None
    trouble: str = ""


_LEFT_ALONE = Answer(trouble="the server failed too often")
_NO_TIME = Answer(trouble="no time was left to ask")
NOT_ASKED = (_LEFT_ALONE, _NO_TIME)


def address(source: ContentSource, parameters: Mapping[str, Any]) -> str:
    """The source's own address with the parameters behind it, each escaped."""
    if not parameters:
        return source.url
    pairs = sorted((name, value) for name, value in parameters.items())
    separator = "&" if urlsplit(source.url).query else "?"
    return source.url + separator + urlencode(pairs, doseq=True)


def ask(source: ContentSource, urls: set[str]) -> dict[str, Answer]:
    """An answer for each address; those that are known are not asked again."""
    keys = {_key(source, url): url for url in urls}
    known = {keys[key]: Answer(*found) for key, found in cache.get_many(keys).items()}
    fresh = _ask_all(source, sorted(urls - known.keys()))
    good = {_key(source, url): (one.value, "") for url, one in fresh.items() if not one.trouble}
    bad = {
        _key(source, url): (None, one.trouble)
        for url, one in fresh.items()
        if one.trouble and one not in NOT_ASKED
    }
    if good and source.cache_seconds:
        cache.set_many(good, source.cache_seconds)
    if bad:
        cache.set_many(bad, FAILED_SECONDS)
    return known | fresh


def _key(source: ContentSource, url: str) -> str:
    version = f"{source.pk}:{source.updated_at.timestamp()}:{url}"
    return "campaigns:fetched:" + hashlib.sha256(version.encode()).hexdigest()


def _ask_all(source: ContentSource, urls: list[str]) -> dict[str, Answer]:
    if not urls:
        return {}
    ends_at = time.monotonic() + BATCH_SECONDS
    state = _Batch(source, ends_at)
    pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="fetching")
    try:
        futures: dict[str, Future[Answer]] = {url: pool.submit(state.one, url) for url in urls}
        wait(futures.values(), timeout=BATCH_SECONDS + source.timeout_seconds)
        late = Answer(trouble="no answer in time")
        return {url: future.result() if future.done() else late for url, future in futures.items()}
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        state.stop()


class _Batch:
    def __init__(self, source: ContentSource, ends_at: float) -> None:
        self._source, self._ends_at = source, ends_at
        self._failures = 0
        self._lines: set[Line] = set()

    def stop(self) -> None:
        """Ends what still drips: its thread would wait as long as the other side likes."""
        for line in list(self._lines):
            if line.sock is not None:
                with suppress(OSError):
                    line.sock.shutdown(socket.SHUT_RDWR)

    def one(self, url: str) -> Answer:
        """Never raises."""
        if self._failures >= FAILURES:
            return _LEFT_ALONE
        if time.monotonic() > self._ends_at:
            return _NO_TIME
        try:
            parts = check_url(url)
            line = Line(parts, timeout=self._source.timeout_seconds)
            self._lines.add(line)
            try:
                found = _get(self._source, line, parts)
            finally:
                self._lines.discard(line)
                line.close()
        except ForbiddenAddress as error:
            found = Answer(trouble=str(error))
        except (OSError, http.client.HTTPException, ValueError, RecursionError) as error:
            found = Answer(trouble=type(error).__name__)
        self._failures = self._failures + 1 if found.trouble else 0
        return found


def _get(source: ContentSource, line: Line, parts: SplitResult) -> Answer:
    ends_at = time.monotonic() + source.timeout_seconds
    headers = {"Accept": "application/json, text/plain", "User-Agent": "Bespoke", "Connection": "close"}
    if source.authorization:
        headers["Authorization"] = source.authorization
    line.request("GET", (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), headers=headers)
    answer = line.getresponse()
    if answer.status != 200:
        return Answer(trouble=f"HTTP {answer.status}")
    body = _read(answer, limit=source.max_kilobytes * 1000, ends_at=ends_at)
    return _value(body, answer.headers.get_content_type()) if body is not None else _TOO_MUCH


_TOO_MUCH = Answer(trouble="the answer is too large or too slow")


def _read(answer: http.client.HTTPResponse, *, limit: int, ends_at: float) -> bytes | None:
    """None when it is longer than the limit, or not there by the deadline."""
    parts, size = [], 0
    while piece := answer.read1(PIECE):
        size += len(piece)
        if size > limit or time.monotonic() > ends_at:
            return None
        parts.append(piece)
    return b"".join(parts)


def _value(body: bytes, kind: str) -> Answer:
    text = body.decode()
    if not kind.endswith("json"):
        return Answer(text.replace("\0", ""))
    value = json.loads(text, parse_constant=_no_number)
    if not _is_plain(value, MAX_DEPTH):
        return Answer(trouble="the answer is nested too deeply, or holds too large a number")
    return Answer(value)


def _no_number(name: str) -> None:
    raise ValueError(name)


def _is_plain(value: Any, depth: int) -> bool:
    if isinstance(value, dict | list):
        parts = value.values() if isinstance(value, dict) else value
        return depth > 0 and all(_is_plain(part, depth - 1) for part in parts)
    return not isinstance(value, int) or abs(value) < 10**18
