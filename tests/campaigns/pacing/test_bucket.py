"""Token buckets on a real Redis: never above rate × time + burst, whoever takes and whatever is lost."""

import random
import threading
import time

import pytest
import redis
from django.conf import settings

from campaigns.pacing import bucket
from campaigns.pacing.bucket import Bucket, BucketsGone, take

KEY = "test:bucket"


@pytest.fixture(autouse=True)
def client():
    client = redis.Redis.from_url(settings.REDIS_URL)
    for key in client.scan_iter(f"{bucket.PREFIX}{KEY}*"):
        client.delete(key)
    return client


def fill(client: redis.Redis, one: Bucket, tokens: float) -> None:
    seconds, micros = client.time()
    at = seconds * 1_000_000 + micros
    client.hset(bucket.PREFIX + one.key, mapping={"level": tokens, "at": at})


def work(taken: list[tuple[float, float]], buckets: list[Bucket], until: float, seed: int) -> None:
    dice = random.Random(seed)
    while time.monotonic() < until:
        asked = time.monotonic()
        found = take(buckets)
        if found.lacking is None:
            taken.append((asked, time.monotonic()))
        else:
            time.sleep(min(found.wait_seconds, 0.01) * dice.random())


@pytest.mark.parametrize(("rate", "other"), [(40.0, None), (400.0, None), (90.0, 60.0)])
@pytest.mark.parametrize("flushed", [False, True])
def test_several_workers_never_take_more_than_rate_times_time_and_the_burst(
    client, rate, other, flushed
) -> None:
    buckets = [Bucket(f"{KEY}:a", rate), *([Bucket(f"{KEY}:b", other)] if other else [])]
    take(buckets, tokens=0)
    for one in buckets:
        fill(client, one, one.size)
    taken: list[tuple[float, float]] = []
    began = time.monotonic()
    threads = [threading.Thread(target=work, args=(taken, buckets, began + 0.6, n)) for n in range(6)]
    for thread in threads:
        thread.start()
    if flushed:
        for _ in range(5):
            time.sleep(0.08)
            client.delete(*(bucket.PREFIX + one.key for one in buckets))
    for thread in threads:
        thread.join()
    passed = time.monotonic() - began
    slowest = min(buckets, key=lambda one: one.per_second)
    assert len(taken) <= slowest.per_second * passed + slowest.size
    if not flushed:  # nothing that lay in it at the beginning is lost
        while take(buckets).lacking is None:
            taken.append((0.0, 0.0))
        assert len(taken) >= int(slowest.size)


def test_no_window_of_time_holds_more_than_its_share(client) -> None:
    one = Bucket(f"{KEY}:w", 200.0)
    taken: list[tuple[float, float]] = []
    threads = [
        threading.Thread(target=work, args=(taken, [one], time.monotonic() + 0.5, n)) for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken.sort()
    assert taken
    for first in range(0, len(taken), 3):
        asked, answered = taken[first]
        for place in range(first, len(taken)):
            # When Redis gave the tokens lies between the first question and the last answer.
            asked, answered = min(asked, taken[place][0]), max(answered, taken[place][1])
            assert place - first + 1 <= one.per_second * (answered - asked) + one.size


def test_a_bucket_that_was_lost_starts_empty() -> None:
    one = Bucket(f"{KEY}:slow", 2.0)
    found = take([one])
    assert found.lacking == one and found.wait_seconds == pytest.approx(0.5)


def test_when_one_bucket_lacks_a_token_none_is_taken(client) -> None:
    full, empty = Bucket(f"{KEY}:full", 1.0), Bucket(f"{KEY}:empty", 0.01)
    fill(client, full, 1.0)
    found = take([full, empty])
    assert found.lacking == empty and found.wait_seconds == pytest.approx(100.0)
    assert take([full]).lacking is None and take([full]).lacking == full


def test_a_clock_set_back_makes_nobody_faster(client) -> None:
    one = Bucket(f"{KEY}:clock", 1.0)
    seconds, _micros = client.time()
    future = (seconds + 3600) * 1_000_000
    client.hset(bucket.PREFIX + one.key, mapping={"level": 0, "at": future})
    assert take([one]).lacking == one


def test_looking_takes_nothing(client) -> None:
    one = Bucket(f"{KEY}:look", 0.01)
    fill(client, one, 1.0)
    assert take([one], tokens=0).lacking is None and take([one]).lacking is None
    assert take([one], tokens=0).lacking == one


def test_without_redis_nobody_is_let_through(settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    with pytest.raises(BucketsGone):
        take([Bucket(KEY, 1.0)])
