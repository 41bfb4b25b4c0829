"""A response of server-sent events (WHATWG HTML, 9.2) that never holds a thread of the server for long.

A WSGI server gives each open response a thread. So a process has `LIVE_STREAMS` of them at most, each ends
after `LIFETIME_SECONDS`, and the browser comes back by itself, naming the last version it saw. Who finds no
free place gets 204 and goes on asking every few seconds as pages without streams do.
"""

import threading
import time
from collections.abc import Callable, Hashable, Iterator
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse

from personalization.access.live.board import BOARD, Board

LIFETIME_SECONDS = 30.0
# A browser that has gone is noticed by writing to it.
HEARTBEAT_SECONDS = 2.0
COME_BACK_MILLISECONDS = 1000
CONTENT_TYPE = "text/event-stream"

# From what was read to the event's one line of text, and whether it is the last there will ever be.
Say = Callable[[Any], tuple[str, bool]]


class Places:
    """How many streams may be open; a place that is never given back is free again after its time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until: dict[object, float] = {}

    def take(self, most: int) -> object | None:
        now = time.monotonic()
        with self._lock:
            self._until = {place: until for place, until in self._until.items() if until > now}
            if len(self._until) >= most:
                return None
            place = object()
            self._until[place] = now + LIFETIME_SECONDS + 2 * HEARTBEAT_SECONDS
            return place

    def give_back(self, place: object) -> None:
        with self._lock:
            self._until.pop(place, None)


PLACES = Places()


def wants_stream(request: HttpRequest) -> bool:
    return CONTENT_TYPE in request.headers.get("Accept", "")


def stream(
    request: HttpRequest, key: Hashable, read: Callable[[], Any], say: Say, *, board: Board = BOARD
) -> HttpResponseBase:
    """Each new value of `read` in the words of `say`, beginning with the one that is not yet known."""
    place = PLACES.take(settings.LIVE_STREAMS)
    if place is None:
        # Not 503: that is an error in logs and alerts, and this is none.
        return HttpResponse(status=204, headers={"Cache-Control": "no-store"})
    seen = request.headers.get("Last-Event-ID", "")
    response = StreamingHttpResponse(
        Events(key, read, say, seen=seen, board=board, on_close=lambda: PLACES.give_back(place)),
        content_type=CONTENT_TYPE,
    )
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"  # nginx would keep events until its buffer is full
    return response


class Events(Iterator[bytes]):
    """A class, not a generator: one that was never begun would never run its `finally`."""

    def __init__(
        self,
        key: Hashable,
        read: Callable[[], Any],
        say: Say,
        *,
        seen: str,
        board: Board,
        on_close: Callable[[], None],
    ) -> None:
        self._key, self._say, self._seen, self._board, self._on_close = key, say, seen, board, on_close
        self._ends_at = time.monotonic() + LIFETIME_SECONDS
        self._is_begun, self._is_over, self._is_closed = False, False, False
        board.join(key, read)

    def __next__(self) -> bytes:
        if not self._is_begun:
            self._is_begun = True
            return b"retry: %d\n\n" % COME_BACK_MILLISECONDS
        left = self._ends_at - time.monotonic()
        if self._is_over or left <= 0:
            raise StopIteration
        try:
            found = self._board.wait(self._key, self._seen, timeout_seconds=min(left, HEARTBEAT_SECONDS))
        except LookupError:
            self._is_over = True
            return frame("end", "{}")
        if found is None:
            return b":\n\n"
        self._seen, value = found
        text, self._is_over = self._say(value)
        return frame("end" if self._is_over else "progress", text, version=self._seen)

    def close(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            self._board.leave(self._key)
            self._on_close()


def frame(event: str, text: str, *, version: str = "") -> bytes:
    """`text` without line breaks, such as JSON."""
    number = f"id: {version}\n" if version else ""
    return f"event: {event}\n{number}data: {text}\n\n".encode()
