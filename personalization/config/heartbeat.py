"""A sign of life that needs all three: beat sends it, Redis carries it, a worker notes it."""

import time

from django.core.cache import cache

OLD_SECONDS = 60
_KEY = "heartbeat"


def note_heartbeat() -> None:
    cache.set(_KEY, time.time(), timeout=24 * 3600)


def heartbeat_age() -> float | None:
    """In seconds; None without one for a day. Raises redis.RedisError."""
    seen = cache.get(_KEY)
    return None if seen is None else time.time() - seen
