"""Wrong passwords, counted in Redis by account and by network: guessing takes longer than anybody has.

Without Redis nobody is counted: it must not lock out who comes to repair it. Codes of a second factor are
counted in the database (see `second_factor`).
"""

import hashlib

import structlog
from django.conf import settings
from django.http import HttpRequest
from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import RedisStorage
from limits.strategies import FixedWindowRateLimiter
from redis.exceptions import RedisError

from personalization.access.networks import address_of

WINDOW_MINUTES = 10
BY_ACCOUNT = RateLimitItemPerMinute(10, WINDOW_MINUTES)
BY_ADDRESS = RateLimitItemPerMinute(100, WINDOW_MINUTES)
log = structlog.get_logger(__name__)


def may_try(request: HttpRequest, *, username: str) -> bool:
    """False after ten wrong passwords for the account, or a hundred from the address, in ten minutes."""
    try:
        limiter = _limiter()
        return all(limiter.test(item, name) for item, name in _counted(request, username))
    except RedisError as error:
        log.warning("guesses.unknown", error=type(error).__name__)
        return True


def note_wrong(request: HttpRequest, *, username: str) -> None:
    try:
        limiter = _limiter()
        for item, name in _counted(request, username):
            limiter.hit(item, name)
    except RedisError as error:
        log.warning("guesses.unknown", error=type(error).__name__)


def _counted(request: HttpRequest, username: str) -> list[tuple[RateLimitItem, str]]:
    return [(BY_ACCOUNT, _hashed(f"name:{username}")), (BY_ADDRESS, _hashed(f"from:{address_of(request)}"))]


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _limiter() -> FixedWindowRateLimiter:
    return FixedWindowRateLimiter(RedisStorage(settings.REDIS_URL, key_prefix="guesses", socket_timeout=2))
