"""Token buckets in Redis: what all workers together take is never more than rate × time + burst.

One script looks at all buckets that a message needs and takes a token from each, or from none; time is the
Redis server's own. A bucket that is not there (new, or Redis was flushed) starts empty, so losing them any
number of times makes sending slower and never faster. The burst is what one second allows, and at least one
message.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import redis
from django.conf import settings
from redis.commands.core import Script

PREFIX = "campaigns:bucket:"
PATIENCE_SECONDS = 2.0


class BucketsGone(Exception):
    """Redis does not answer: nobody can say whether a message may go."""


@dataclass(frozen=True)
class Bucket:
    key: str
    per_second: float

    @property
    def size(self) -> float:
        """The most tokens that it holds."""
        return max(1.0, self.per_second)


@dataclass(frozen=True)
class Taken:
    """`lacking` is the bucket with the longest way to its next token, and `wait_seconds` how long that is;
    None and 0 when there was one in each."""

    lacking: Bucket | None
    wait_seconds: float


def take(buckets: Sequence[Bucket], *, tokens: int = 1) -> Taken:
    """One token of each bucket, or of none; with 0 tokens only looks whether there is one.

    Raises BucketsGone.
    """
    if not buckets:
        return Taken(None, 0.0)
    keys = [PREFIX + bucket.key for bucket in buckets]
    values = [part for bucket in buckets for part in (repr(bucket.per_second), repr(bucket.size))]
    try:
        place, micros = _scripts(settings.REDIS_URL)[0](keys=keys, args=[tokens, *values])
    except redis.RedisError as error:
        raise BucketsGone(type(error).__name__) from error
    return Taken(buckets[place - 1] if place else None, micros / 1e6)


def line_up(bucket: Bucket, *, wait_seconds: float) -> float:
    """A turn of one's own behind all who lined up for this bucket before, in seconds from now; at the
    earliest when its next token comes. The line is only a guess at when to ask again: losing it does no harm.

    Raises BucketsGone.
    """
    values = [repr(bucket.per_second), str(round(wait_seconds * 1e6))]
    try:
        micros = _scripts(settings.REDIS_URL)[1](keys=[f"{PREFIX}{bucket.key}:line"], args=values)
    except redis.RedisError as error:
        raise BucketsGone(type(error).__name__) from error
    return int(micros) / 1e6


@lru_cache(maxsize=4)
def _scripts(url: str) -> tuple[Script, Script]:
    client = redis.Redis.from_url(
        url, socket_timeout=PATIENCE_SECONDS, socket_connect_timeout=PATIENCE_SECONDS
    )
    return client.register_script(_TAKE), client.register_script(_LINE_UP)


# Numbers are written out: Lua keeps only 14 digits of a number that it turns into text by itself.
_TAKE = """
    local clock = redis.call('TIME')
    local now = clock[1] * 1000000 + clock[2]
    local levels, lacking, longest = {}, 0, 0
    for i, key in ipairs(KEYS) do
        local rate, size = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
        local kept = redis.call('HMGET', key, 'level', 'at')
        local level = 0
        if kept[1] then
            local passed = math.max(0, now - tonumber(kept[2]))
            level = math.min(size, tonumber(kept[1]) + passed * rate / 1000000)
        end
        levels[i] = level
        if level < 1 then
            local wait = math.max(1, math.ceil((1 - level) / rate * 1000000))
            if wait > longest then lacking, longest = i, wait end
        end
    end
    for i, key in ipairs(KEYS) do
        local left = levels[i]
        if lacking == 0 then left = left - tonumber(ARGV[1]) end
        redis.call('HSET', key, 'level', string.format('%.9f', left), 'at', string.format('%.0f', now))
        local rate, size = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
        redis.call('PEXPIRE', key, 3600000 + math.ceil(size / rate * 1000))
    end
    return {lacking, longest}
"""
_LINE_UP = """
    local clock = redis.call('TIME')
    local now = clock[1] * 1000000 + clock[2]
    local last = tonumber(redis.call('GET', KEYS[1]) or '0')
    local turn = math.max(now + tonumber(ARGV[2]), last + 1000000 / tonumber(ARGV[1]))
    redis.call('SET', KEYS[1], string.format('%.0f', turn), 'PX', 60000 + math.ceil((turn - now) / 1000))
    return math.ceil(turn - now)
"""
