"""How often the API may be called, counted in Redis over all processes, and said in every answer.

Whoever calls many times a second is counted in the process, and Redis is told a little later: a trip for each
call would take longer than much of what is called. Near the limit each call is a trip.

Programs are counted by their key, everybody else by their address: pages of a shop share one client key. When
Redis does not answer, nobody is counted: a broken counter must not stop a shop.
Source: draft-ietf-httpapi-ratelimit-headers-10 for the two headers.
"""

import hashlib
import time
from collections.abc import Callable
from threading import Lock
from typing import Any, NamedTuple

import redis
import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from redis.exceptions import RedisError

from personalization.access.authentication import token_of
from personalization.access.networks import address_of
from personalization.access.problems import problem_response
from personalization.access.services import KEY_MARK

COUNTED = ("/api/v1/", "/v1/", "/api/features/", "/ofrep/")
REDIS_PATIENCE_SECONDS = 0.2
PAUSE_SECONDS = 5.0  # after Redis failed, before it is asked again
# So late Redis may be told, and only while more than this share of the calls is left. Small quotas always are
# counted there.
LATE_SECONDS, LEFT_SHARE, LEAST_QUOTA = 0.2, 0.05, 1_000
MAX_CALLERS = 10_000
log = structlog.get_logger(__name__)
# A sliding window by the server's clock: the minute before counts with the part of it that still lies in the
# last 60 seconds. Answers whether the call is free, how many are left, and in how many milliseconds there are
# more. What is refused is not counted; ARGV[2] calls were let through already.
_COUNT = """
    local time = redis.call('TIME')
    local now, window, quota = time[1] * 1000 + math.floor(time[2] / 1000), 60000, tonumber(ARGV[1])
    local minute = math.floor(now / window)
    local into = now - minute * window
    local kept = redis.call('HMGET', KEYS[1], 'minute', 'calls', 'before')
    local calls, before = tonumber(kept[2]) or 0, tonumber(kept[3]) or 0
    local age = minute - (tonumber(kept[1]) or minute)
    if age == 1 then before, calls = calls, 0 elseif age ~= 0 then before, calls = 0, 0 end
    calls = calls + ARGV[2]
    local used = before * (window - into) / window + calls
    local free = used + 1 <= quota
    if free then calls, used = calls + 1, used + 1 end
    if free or tonumber(ARGV[2]) > 0 then
        redis.call('HSET', KEYS[1], 'minute', minute, 'calls', calls, 'before', before)
        redis.call('PEXPIRE', KEYS[1], 2 * window)
    end
    local wait = window - into
    if before > 0 then wait = math.min(wait, math.ceil(window / before)) end
    return {free and 1 or 0, math.max(0, math.floor(quota - used)), wait}
"""


class _Known(NamedTuple):
    """Of a caller, as Redis said it: how many calls were left, when there are more, and when (monotonic) that
    was; and how many were let through since."""

    remaining: int
    wait_seconds: int
    at: float
    since: int = 0


class RateLimitMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self._script: Any = None
        self._asleep_until = 0.0
        self._lock = Lock()
        self._known: dict[tuple[str, str], _Known] = {}

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(COUNTED):
            return self.get_response(request)
        caller, quota = _caller(request)
        if not quota:
            return self.get_response(request)
        counted = self._count_here(caller, quota) or self._count(caller, quota)
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

    def _count_here(self, caller: tuple[str, str], quota: int) -> tuple[bool, int, int] | None:
        """As `_count`, without a trip; None where it takes one."""
        with self._lock:
            known = self._known.get(caller)
            if known is None or quota < LEAST_QUOTA or time.monotonic() - known.at > LATE_SECONDS:
                return None
            left = known.remaining - known.since - 1
            if left < LEFT_SHARE * quota:
                return None
            self._known[caller] = known._replace(since=known.since + 1)
        return True, left, known.wait_seconds

    def _count(self, caller: tuple[str, str], quota: int) -> tuple[bool, int, int] | None:
        """Whether the call is free, how many are left, in how many seconds there are more; None: unknown."""
        if time.monotonic() < self._asleep_until:
            return None
        try:
            if self._script is None:
                client = redis.Redis.from_url(
                    settings.REDIS_URL, socket_timeout=REDIS_PATIENCE_SECONDS,
                    socket_connect_timeout=REDIS_PATIENCE_SECONDS,
                )  # fmt: skip
                self._script = client.register_script(_COUNT)
            with self._lock:
                known = self._known.pop(caller, None)
            since = known.since if known else 0
            is_free, remaining, wait_ms = self._script(
                keys=[f"calls:{':'.join(caller)}"], args=[quota, since]
            )
        except RedisError as error:
            self._asleep_until = time.monotonic() + PAUSE_SECONDS
            log.warning("rate_limits.unknown", error=type(error).__name__)
            return None
        wait_seconds = max(1, round(wait_ms / 1000))
        with self._lock:
            if len(self._known) >= MAX_CALLERS:
                self._known.clear()
            self._known.setdefault(caller, _Known(remaining, wait_seconds, time.monotonic()))
        return bool(is_free), remaining, wait_seconds


def _caller(request: HttpRequest) -> tuple[tuple[str, str], int]:
    """Name of the policy and who is counted, and how often they may call in a minute (0: without end)."""
    token = token_of(request) or ""
    if token.startswith(f"{KEY_MARK}_"):
        # The whole token: with the prefix alone a stranger could use up another's calls.
        return ("key", hashlib.sha256(token.encode()).hexdigest()[:32]), settings.API_RATE_PER_MINUTE
    address = hashlib.sha256(address_of(request).encode()).hexdigest()[:32]
    return ("address", address), settings.PUBLIC_RATE_PER_MINUTE
