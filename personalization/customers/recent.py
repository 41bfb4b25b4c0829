"""What a page counts anew each time it is opened: what was dear to count is kept for a while.

A count of a million rows takes longer than a page may. So what is kept is shown at once, also when it is too
old, and is then counted in the background for who looks next; pages that follow something ask again soon.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from django.core.cache import cache
from django.db import connections

T = TypeVar("T")
logger = logging.getLogger(__name__)

DEAR_SECONDS = 0.1
"""What is counted within that is counted each time."""
FRESH_PER_SECOND = 20
"""Counting may take a twentieth of one thread's time: what took half a second is fresh for ten."""
KEPT_SECONDS = 3600


def recent(key: str, count: Callable[[], T]) -> T:
    """As `count()`; of very many rows some seconds old, up to an hour for who looks again after long.

    `key` names in the cache what is counted, with all that must make it count anew.
    """
    known: tuple[T, float] | None = cache.get(key)
    if known is None:
        return _count(key, count)
    value, stale_at = known
    if time.time() > stale_at and cache.add(f"{key}:counting", True, 60):
        threading.Thread(target=_count_behind, args=(key, count), daemon=True).start()
    return value


def _count(key: str, count: Callable[[], Any]) -> Any:
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
        _count(key, count)
    except Exception:
        # The page has its answer; the next look tries again.
        logger.exception("recount_failed", extra={"key": key})
    finally:
        cache.delete(f"{key}:counting")
        connections.close_all()
