"""How often the API may be called, counted in Redis over all processes, and said in every answer.

Programs are counted by their key, everybody else by their address: pages of a shop share one client key. When
Redis does not answer, nobody is counted: a broken counter must not stop a shop.
Source: draft-ietf-httpapi-ratelimit-headers-10 for the two headers.
"""

import hashlib
import time
from collections.abc import Callable

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from limits import RateLimitItemPerMinute
from limits.storage import RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from redis.exceptions import RedisError

from personalization.access.authentication import token_of
from personalization.access.networks import address_of
from personalization.access.problems import problem_response
from personalization.access.services import KEY_MARK

COUNTED = ("/api/v1/", "/v1/", "/api/features/", "/ofrep/")
REDIS_PATIENCE_SECONDS = 0.2
PAUSE_SECONDS = 5.0  # after Redis failed, before it is asked again
log = structlog.get_logger(__name__)


class RateLimitMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self._limiter: SlidingWindowCounterRateLimiter | None = None
        self._asleep_until = 0.0

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(COUNTED):
            return self.get_response(request)
        caller, quota = _caller(request)
        if not quota:
            return self.get_response(request)
        counted = self._count(caller, RateLimitItemPerMinute(quota))
        if counted is None:
            return self.get_response(request)
        is_free, remaining, wait_seconds = counted
        if is_free:
            response = self.get_response(request)
        else:
            detail = _("Try again in %(seconds)s seconds.") % {"seconds": wait_seconds}
            title = _("Too many calls")
            response = problem_response(status=429, title=title, detail=detail, slug="too-many-requests")
            response["Retry-After"] = str(wait_seconds)
        response["RateLimit-Policy"] = f'"{caller[0]}";q={quota};w=60'
        response["RateLimit"] = f'"{caller[0]}";r={remaining};t={wait_seconds}'
        return response

    def _count(self, caller: tuple[str, str], item: RateLimitItemPerMinute) -> tuple[bool, int, int] | None:
        """Whether the call is free, how many are left, in how many seconds there are more; None: unknown."""
        if time.monotonic() < self._asleep_until:
            return None
        try:
            if self._limiter is None:
                patience = {
                    "socket_timeout": REDIS_PATIENCE_SECONDS,
                    "socket_connect_timeout": REDIS_PATIENCE_SECONDS,
                }
                self._limiter = SlidingWindowCounterRateLimiter(
                    RedisStorage(settings.REDIS_URL, key_prefix="calls", **patience)  # type: ignore[arg-type]
                )
            is_free = self._limiter.hit(item, *caller)
            window = self._limiter.get_window_stats(item, *caller)
        except RedisError as error:
            self._asleep_until = time.monotonic() + PAUSE_SECONDS
            log.warning("rate_limits.unknown", error=type(error).__name__)
            return None
        return is_free, max(0, window.remaining), max(1, round(window.reset_time - time.time()))


def _caller(request: HttpRequest) -> tuple[tuple[str, str], int]:
    """Name of the policy and who is counted, and how often they may call in a minute (0: without end)."""
    token = token_of(request) or ""
    if token.startswith(f"{KEY_MARK}_"):
        # The whole token: with the prefix alone a stranger could use up another's calls.
        return ("key", hashlib.sha256(token.encode()).hexdigest()[:32]), settings.API_RATE_PER_MINUTE
    address = hashlib.sha256(address_of(request).encode()).hexdigest()[:32]
    return ("address", address), settings.PUBLIC_RATE_PER_MINUTE
