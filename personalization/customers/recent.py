"""What a page counts anew each time it is opened: what was dear to count is kept for a while.

A count of a million rows takes longer than a page may. So what is kept is shown at once, also when it is too
old, and is then counted in the background for who looks next; pages that follow something ask again soon.
What nobody has counted yet comes after the page, which shows the rest meanwhile: its first counts together
hold it up for `PATIENT_SECONDS`; those that are not done by then are counted behind it, a few at a time.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from django.core.cache import cache
from django.db import OperationalError, connection, connections, transaction
from psycopg.errors import QueryCanceled

T = TypeVar("T")
logger = logging.getLogger(__name__)

DEAR_SECONDS = 0.1
"""What is counted within that is counted each time."""
PATIENT_SECONDS = 0.06
"""For no longer do first counts hold up the thread of a page, but for one statement begun just before."""
REST_SECONDS = 1.0
"""After that it may be held up as long again."""
FRESH_PER_SECOND = 20
"""Counting may take a twentieth of one thread's time: what took half a second is fresh for ten."""
KEPT_SECONDS = 3600
COUNTING_SECONDS = 60
"""After that whoever counts is taken for dead."""
AT_ONCE = threading.BoundedSemaphore(2)
"""Counts behind pages, of this process: a list of a hundred must not ask for a hundred connections."""


def recent(key: str, count: Callable[[], T]) -> T | None:
    """As `count()`; of very many rows some seconds old, up to an hour for who looks again after long.

    `key` names in the cache what is counted, with all that must make it count anew. None while a first count
    that takes long is under way: ask again in a second.
    """
    known: tuple[T, float] | None = cache.get(key)
    if known is None:
        return None if cache.get(_mark(key)) else _count_first(key, count)
    value, stale_at = known
    if time.time() > stale_at:
        _start_counting(key, count)
    return value


def _count_first(key: str, count: Callable[[], T]) -> T | None:
    if connection.in_atomic_block:
        return _count(key, count)  # nobody else sees what that transaction sees
    if (left := _patience.refill()) > 0:
        begun = time.monotonic()
        try:
            with transaction.atomic(), _only_for(left):
                return _count(key, count)
        except _TooLate:
            pass
        except OperationalError as error:
            if not isinstance(error.__cause__, QueryCanceled):
                raise
        finally:
            _patience.left -= time.monotonic() - begun
    _start_counting(key, count)
    return None


class _TooLate(Exception):
    """The page has waited long enough."""


class _Patience(threading.local):
    """How long this thread may still be held up: it fills up evenly, within `REST_SECONDS`."""

    left, looked_at = PATIENT_SECONDS, 0.0

    def refill(self) -> float:
        now = time.monotonic()
        rested = (now - self.looked_at) / REST_SECONDS
        self.left, self.looked_at = min(PATIENT_SECONDS, self.left + rested * PATIENT_SECONDS), now
        return self.left


_patience = _Patience()


@contextmanager
def _only_for(seconds: float) -> Iterator[None]:
    """Within a transaction: no statement begins later, and none runs for longer."""
    ends_at = time.monotonic() + seconds

    def in_time(execute: Callable[..., Any], *statement: Any) -> Any:
        if time.monotonic() >= ends_at:
            raise _TooLate
        return execute(*statement)

    with connection.cursor() as cursor:
        timeout = str(max(1, int(1000 * seconds)))
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [timeout])
    with connection.execute_wrapper(in_time):
        yield


def _start_counting(key: str, count: Callable[[], Any]) -> None:
    if cache.add(_mark(key), True, COUNTING_SECONDS):
        threading.Thread(target=_count_behind, args=(key, count), daemon=True).start()


def _mark(key: str) -> str:
    """Stands in the cache while somebody counts."""
    return f"{key}:counting"


def _count(key: str, count: Callable[[], T]) -> T:
    begun = time.monotonic()
    value = count()
    taken = time.monotonic() - begun
    if taken >= DEAR_SECONDS:
        cache.set(key, (value, time.time() + FRESH_PER_SECOND * taken), KEPT_SECONDS)
    else:
        cache.delete(key)
    return value


def _count_behind(key: str, count: Callable[[], Any]) -> None:
    try:
        with AT_ONCE:
            _count(key, count)
    except Exception:
        # The page has its answer; the next look tries again.
        logger.exception("recount_failed", extra={"key": key})
    finally:
        cache.delete(_mark(key))
        connections.close_all()
