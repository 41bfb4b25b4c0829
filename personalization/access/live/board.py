"""What is watched, read once a second by one thread of the process, however many watch.

The thread begins with the first watcher and ends with the last; between readings it holds no connection to
the database. Watchers wait for a version they have not seen. Versions are hashes of what was read, so any
process can tell whether a browser has seen it already.
"""

import hashlib
import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

import structlog
from django.db import connection

log = structlog.get_logger()
EVERY_SECONDS = 1.0
# A reading that is dear is made less often: at most this share of the time is spent reading.
SHARE = 0.2


@dataclass
class Watched:
    read: Callable[[], Any]
    watchers: int = 0
    version: str = ""
    value: Any = None
    is_gone: bool = False


class Board:
    def __init__(self, *, every_seconds: float = EVERY_SECONDS) -> None:
        self._every_seconds = every_seconds
        self._news = threading.Condition()
        self._watched: dict[Hashable, Watched] = {}
        self._thread: threading.Thread | None = None

    def join(self, key: Hashable, read: Callable[[], Any]) -> None:
        """Begins to watch; every watcher of `key` shares one `read`, whose answer must have a stable repr."""
        with self._news:
            self._watched.setdefault(key, Watched(read)).watchers += 1
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="live", daemon=True)
                self._thread.start()
            self._news.notify_all()

    def leave(self, key: Hashable) -> None:
        with self._news:
            watched = self._watched[key]
            watched.watchers -= 1
            if not watched.watchers:
                del self._watched[key]
            self._news.notify_all()

    def wait(self, key: Hashable, seen: str, *, timeout_seconds: float) -> tuple[str, Any] | None:
        """The version and value after `seen`; None when nothing else came in time. Raises LookupError for
        what cannot be read any more."""
        with self._news:
            watched = self._watched[key]
            self._news.wait_for(
                lambda: watched.is_gone or watched.version not in ("", seen), timeout=timeout_seconds
            )
            if watched.is_gone:
                raise LookupError(key)
            return (watched.version, watched.value) if watched.version not in ("", seen) else None

    def _run(self) -> None:
        while True:
            with self._news:
                if not self._watched:
                    self._thread = None
                    return
                now = list(self._watched.items())
            began = time.monotonic()
            for key, watched in now:
                self._read(key, watched)
            connection.close()
            taken = time.monotonic() - began
            with self._news:
                known = set(self._watched)
                # Wakes early for a new key, whose first watcher waits, and for the end.
                self._news.wait_for(
                    lambda known=known: set(self._watched) - known or not self._watched,  # type: ignore[misc]
                    timeout=max(self._every_seconds, taken / SHARE - taken),
                )

    def _read(self, key: Hashable, watched: Watched) -> None:
        try:
            value = watched.read()
        except LookupError:
            watched.is_gone = True
        except Exception:  # a database that restarts: the old value stays, the next second asks again
            log.warning("live.not_read", exc_info=True)
            return
        else:
            watched.version, watched.value = version_of(value), value
        with self._news:
            self._news.notify_all()


def version_of(value: Any) -> str:
    return hashlib.blake2s(repr(value).encode(), digest_size=8).hexdigest()


BOARD = Board()
