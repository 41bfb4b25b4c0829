"""One thread reads for all who watch, and nobody holds a place for ever."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from personalization.access.live import stream
from personalization.access.live.board import Board, version_of
from personalization.access.live.stream import Events, Places, frame

# Its thread lets go of the database after each reading.
pytestmark = pytest.mark.django_db


class Counter:
    """What is watched: `value`, or the error in it."""

    def __init__(self) -> None:
        self.value: Any = 0
        self.reads = 0
        self.threads: set[str] = set()

    def __call__(self) -> Any:
        self.reads += 1
        self.threads.add(threading.current_thread().name)
        if isinstance(self.value, Exception):
            raise self.value
        return self.value


@pytest.fixture
def board() -> Board:
    return Board(every_seconds=0.01)


@pytest.fixture
def counter(board: Board) -> Iterator[Counter]:
    found = Counter()
    board.join("k", found)
    yield found
    board.leave("k")


def test_watchers_share_one_reading_and_get_only_what_is_new(board: Board, counter: Counter) -> None:
    board.join("k", counter)
    first = board.wait("k", "", timeout_seconds=5)
    assert first == (version_of(0), 0) == board.wait("k", "", timeout_seconds=5)
    assert board.wait("k", version_of(0), timeout_seconds=0.05) is None
    counter.value = 7
    assert board.wait("k", version_of(0), timeout_seconds=5) == (version_of(7), 7)
    assert counter.threads == {"live"}
    board.leave("k")


def test_a_reading_that_fails_leaves_the_last_value_and_is_made_again(board: Board, counter: Counter) -> None:
    board.wait("k", "", timeout_seconds=5)
    counter.value = OSError("database restarts")
    seen = counter.reads
    while counter.reads < seen + 2:
        assert board.wait("k", version_of(0), timeout_seconds=0.01) is None
    assert board.wait("k", "", timeout_seconds=5) == (version_of(0), 0)
    counter.value = 3
    assert board.wait("k", version_of(0), timeout_seconds=5) == (version_of(3), 3)


def test_the_thread_ends_with_the_last_watcher_and_begins_again(board: Board) -> None:
    counter = Counter()
    for _ in range(2):
        board.join("k", counter)
        board.wait("k", "", timeout_seconds=5)
        thread = board._thread
        board.leave("k")
        assert thread is not None
        thread.join(5)
        assert not thread.is_alive() and board._thread is None


def test_a_stream_says_each_value_once_and_ends_with_the_last(board: Board, counter: Counter) -> None:
    closed: list[bool] = []

    def say(value: int) -> tuple[str, bool]:
        return str(value), value == 2

    events = Events("k", counter, say, seen="", board=board, on_close=lambda: closed.append(True))
    assert next(events) == b"retry: 1000\n\n"
    assert next(events) == frame("progress", "0", version=version_of(0))
    counter.value = 2
    assert next(events) == frame("end", "2", version=version_of(2))
    assert list(events) == []
    events.close()
    events.close()
    assert closed == [True]


def test_who_comes_back_hears_nothing_twice(
    board: Board, counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "HEARTBEAT_SECONDS", 0.05)
    monkeypatch.setattr(stream, "LIFETIME_SECONDS", 0.12)
    board.wait("k", "", timeout_seconds=5)
    events = Events(
        "k",
        counter,
        lambda value: (str(value), False),
        seen=version_of(0),
        board=board,
        on_close=lambda: None,
    )
    # Signs of life until its time is over.
    assert set(events) == {b"retry: 1000\n\n", b":\n\n"}
    events.close()


def test_what_is_gone_ends_its_streams(board: Board, counter: Counter) -> None:
    counter.value = LookupError("deleted")
    events = Events("k", counter, lambda value: ("", False), seen="", board=board, on_close=lambda: None)
    # The value of before may have been read already, and is then said first.
    assert list(events)[-1] == frame("end", "{}")
    events.close()


def test_places_are_few_and_one_that_was_never_given_back_is_free_after_its_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    places, now = Places(), [100.0]
    monkeypatch.setattr(stream.time, "monotonic", lambda: now[0])
    first, second = places.take(2), places.take(2)
    assert first and second and places.take(2) is None and places.take(0) is None
    places.give_back(first)
    assert places.take(2) is not None and places.take(2) is None
    now[0] += stream.LIFETIME_SECONDS + 2 * stream.HEARTBEAT_SECONDS
    assert places.take(1) is not None
