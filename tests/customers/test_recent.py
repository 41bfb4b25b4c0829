"""Dear counts are kept and renewed behind the page; all others are of now."""

import itertools
import threading
from types import SimpleNamespace

import pytest
from django.core.cache import cache
from django.db import ProgrammingError, connection

from personalization.customers import recent as module
from personalization.customers.models import Customer

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _rested():
    module._patience.left = module.PATIENT_SECONDS


@pytest.fixture
def clock(monkeypatch):
    """Each count takes `takes` seconds, as far as the module can see."""
    clock = SimpleNamespace(now=1000.0, takes=0.0)
    monkeypatch.setattr(module, "time", SimpleNamespace(time=lambda: clock.now, monotonic=lambda: clock.now))
    numbers = itertools.count(1)

    def count() -> int:
        clock.now += clock.takes
        return next(numbers)

    clock.look = lambda: module.recent("what", count)
    cache.clear()
    return clock


def wait_for_background() -> None:
    for thread in threading.enumerate():
        if thread.daemon and getattr(thread, "_target", None) is module._count_behind:
            thread.join(5)


def test_what_is_counted_quickly_is_counted_each_time(clock):
    clock.takes = 0.01
    assert [clock.look() for _ in range(3)] == [1, 2, 3]


def test_what_was_dear_to_count_is_kept(clock):
    clock.takes = 0.5
    assert [clock.look() for _ in range(3)] == [1, 1, 1]


def test_what_is_too_old_is_shown_once_more_and_counted_behind(clock):
    clock.takes = 0.5
    assert clock.look() == 1
    clock.now += 11
    assert clock.look() == 1
    wait_for_background()
    assert clock.look() == 2


def test_a_count_that_fails_behind_leaves_what_was_known(clock, caplog):
    clock.takes = 0.5
    assert clock.look() == 1
    clock.now += 11

    def fails() -> int:
        raise RuntimeError("the database is away")

    assert module.recent("what", fails) == 1
    wait_for_background()
    assert clock.look() == 1
    assert "recount_failed" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_a_first_count_that_takes_long_comes_after_the_page():
    cache.clear()

    def count() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 7 FROM pg_sleep(0.3)")
            return cursor.fetchone()[0]

    assert module.recent("slow", count) is None
    assert module.recent("slow", count) is None
    wait_for_background()
    assert module.recent("slow", count) == 7
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone()[0] != "50ms"  # the patience ends with the count


@pytest.mark.django_db(transaction=True)
def test_many_first_counts_hold_a_page_up_together_no_longer_than_one_may():
    cache.clear()
    under_way, most = 0, 0

    def count() -> int:
        nonlocal under_way, most
        with connection.cursor() as cursor:
            under_way += 1
            most = max(most, under_way)
            cursor.execute("SELECT 7 FROM pg_sleep(0.04)")
            under_way -= 1
            return cursor.fetchone()[0]

    keys = [f"row:{n}" for n in range(8)]
    assert [module.recent(key, count) for key in keys].count(None) >= 6
    under_way = most = 0
    wait_for_background()
    assert most <= 2  # connections beside the page's own
    assert [cache.get(f"{key}:counting") for key in keys] == 8 * [None]


@pytest.mark.django_db(transaction=True)
def test_a_first_count_that_is_quick_is_there_at_once():
    cache.clear()
    assert module.recent("quick", lambda: Customer.objects.count()) == 0


@pytest.mark.django_db(transaction=True)
def test_a_first_count_that_fails_is_an_error_of_the_page():
    cache.clear()

    def count() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT nothing FROM nowhere")

    with pytest.raises(ProgrammingError):
        module.recent("wrong", count)
