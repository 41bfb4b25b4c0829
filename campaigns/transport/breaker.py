"""Circuit breakers: a provider that does not answer is left alone for a while, by all workers.

Five failures in a row open the breaker for half a minute, then twice as long, up to ten minutes; when that is
over one message tries, and its success closes it. The state lies in Redis; without Redis nothing is
left alone. Only the way is judged: refused messages are no failures.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime

from django.core.cache import cache
from redis.exceptions import RedisError

FAILURES = 5
FIRST_SECONDS, MAX_SECONDS = 30.0, 600.0
REMEMBERED = 3600


@dataclass(frozen=True)
class State:
    """`until`: nobody tries before then (seconds since the epoch); 0 when the breaker is closed."""

    failures: int = 0
    openings: int = 0
    until: float = 0.0
    reason: str = ""

    @property
    def until_at(self) -> datetime:
        return datetime.fromtimestamp(self.until, UTC)


def state(name: str) -> State:
    try:
        found = cache.get(_key(name))
    except RedisError:
        return State()
    return State(*found) if found else State()


def may_try(name: str, *, now: float | None = None) -> bool:
    """Whether a message may go this way. When an opening is over, one caller in five seconds may."""
    found = state(name)
    if not found.until:
        return True
    if (now or time.time()) < found.until:
        return False
    try:
        return bool(cache.add(_key(name) + ":probe", 1, timeout=5))
    except RedisError:
        return True


def fail(name: str, reason: str, *, at_once: bool = False, now: float | None = None) -> State:
    """Counts a failure and answers the state after it. `at_once`: nothing would go this way (no connection,
    an account that is refused), so the first one opens it."""
    found, now = state(name), now or time.time()
    if now < found.until:
        return found  # what was under way when it opened
    failures = found.failures + 1
    if failures < FAILURES and not found.until and not at_once:
        after = State(failures, found.openings, 0.0, reason)
    else:
        pause = min(FIRST_SECONDS * 2**found.openings, MAX_SECONDS)
        after = State(failures, found.openings + 1, now + pause, reason)
    _write(name, after)
    return after


def succeed(name: str) -> None:
    _write(name, None)


def _write(name: str, value: State | None) -> None:
    try:
        if value is None:
            cache.delete(_key(name))
        else:
            fields = (value.failures, value.openings, value.until, value.reason[:200])
            cache.set(_key(name), fields, timeout=REMEMBERED)
    except RedisError:
        return


def _key(name: str) -> str:
    return f"campaigns:breaker:{name}"
