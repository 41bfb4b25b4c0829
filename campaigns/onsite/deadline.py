"""A decision in time, or none: what is slow behind it may hold up a thread, never a visitor's page."""

import time
import weakref
from collections.abc import Callable
from queue import SimpleQueue
from threading import Barrier, Lock, Thread, local
from typing import Any, Generic, TypeVar, cast

import structlog
from django.db import close_old_connections, connection

from personalization.access.problems import ProblemError
from personalization.importing.prepared import keep_prepared

log = structlog.get_logger(__name__)
SECONDS = 0.08
THREADS = 8
# Queries that nobody waits for any more end by themselves.
STATEMENT_MS = 500
TRUSTED_SECONDS = 1.0
# After so many in a row that came too late, one after another, nobody is made to wait for this long.
FAILURES, PAUSE_SECONDS = 5, 2.0

Answer = TypeVar("Answer")


class NotInTime(Exception):
    """Too slow, or something behind it is down."""


class _Call(Generic[Answer]):
    """One call, with two threads at it: whoever comes first decides whether it was in time."""

    def __init__(self, work: Callable[[], Answer], then: Callable[[Answer], None] | None = None) -> None:
        self.work, self.then = work, then
        self.answer: Answer | None = None
        self.error: Exception | None = None
        self._is_begun = self._is_over = self._is_ended = False
        self._lock, self._done = Lock(), Lock()
        self._done.acquire()

    def wait(self, seconds: float = -1) -> bool:
        """Whether it ended by then."""
        return self._done.acquire(timeout=seconds)

    def begin(self) -> bool:
        """False when nobody waits any more."""
        with self._lock:
            self._is_begun = not self._is_over
            return self._is_begun

    def deliver(self, answer: Answer) -> bool:
        """False when nobody waits any more."""
        with self._lock:
            if self._is_over:
                return False
            self.answer = answer
            return True

    def end(self) -> bool:
        """Whether its answer came too late, or will never come."""
        with self._lock:
            self._is_ended = True
            self._done.release()
            return self._is_over and self.answer is None

    def give_up(self) -> bool:
        """Whether a thread is stuck with it. An answer that was delivered in the last moment is there."""
        with self._lock:
            self._is_over = True
            return self._is_begun and not self._is_ended and self.answer is None

    @property
    def is_begun(self) -> bool:
        return self._is_begun


class Deadline:
    """Runs work in a few threads of its own and waits for it no longer than `seconds`.

    By plain queues and locks: an executor and its futures take a tenth of a decision.
    """

    def __init__(self, seconds: float = SECONDS, *, threads: int = THREADS) -> None:
        self._seconds, self._threads = seconds, threads
        self._calls: Calls = SimpleQueue()
        self._running: list[Thread] = []
        # Its threads end with it: they know the queue alone.
        weakref.finalize(self, _end, self._calls, threads)
        self._lock = Lock()
        self._mine = local()
        self._failures, self._failed_at, self._paused_until = 0, 0.0, 0.0
        self._stuck = 0  # threads at calls that nobody waits for any more

    def run(self, work: Callable[[], Answer], *, then: Callable[[Answer], None] | None = None) -> Answer:
        """Raises NotInTime; what `work` raises itself about its caller (a ProblemError) comes through.

        `then` happens only to an answer that is given: never to one that came too late.
        """
        started = time.monotonic()
        if started < self._paused_until:
            raise NotInTime("paused")
        # When all of them are stuck, a visitor who waits only holds up the next ones.
        if self._stuck >= self._threads:
            raise self._fail("busy", started)
        call = _Call(work, then)
        self._put(call)
        if not call.wait(self._seconds):
            if call.give_up():
                self._count_stuck(+1)
            if call.answer is None:
                raise self._fail("too slow" if call.is_begun else "busy", started)
        elif isinstance(call.error, ProblemError):
            self._failures = 0
            raise call.error
        elif call.error is not None:
            name = type(call.error).__name__
            log.warning("decide_failed", error=name)
            raise self._fail(name, started) from call.error
        self._failures = 0
        return cast(Answer, call.answer)

    def in_all_threads(self, work: Callable[[], object], *, seconds: float) -> None:
        """`work` once in each thread, whose connection is open then. Raises what the first of them raises,
        BrokenBarrierError when they do not all begin within `seconds`.
        """
        together = Barrier(self._threads)

        def once() -> None:
            together.wait(seconds)
            work()

        calls = [_Call(once) for _ in range(self._threads)]
        for call in calls:
            self._put(call)
        for call in calls:
            call.wait()
            if call.error is not None:
                raise call.error

    def close(self, *, seconds: float) -> bool:
        """Whether the threads ended within so long, after what they are at and what waits for them.
        A call that comes later starts new ones.
        """
        with self._lock:
            running, self._running = self._running, []
        for _ in running:
            self._calls.put(None)
        until = time.monotonic() + seconds
        for thread in running:
            thread.join(max(0.0, until - time.monotonic()))
        return not any(thread.is_alive() for thread in running)

    def _put(self, call: _Call[Any]) -> None:
        if not self._running:  # not before: a process that is forked takes no threads along
            with self._lock:
                while len(self._running) < self._threads:
                    self._running.append(
                        Thread(target=_serve, args=(self._calls,), daemon=True, name="decide")
                    )
                    self._running[-1].start()
        self._calls.put((self, call))

    def _work(self, call: _Call[Any]) -> None:
        try:
            try:
                self._connect()
                answer = call.work()
                self._mine.used_at = time.monotonic()
                if call.deliver(answer) and call.then is not None:
                    call.then(answer)
            finally:
                self._let_go()
        except Exception as error:
            call.error = error
        finally:
            if call.end():
                self._count_stuck(-1)

    def _count_stuck(self, change: int) -> None:
        with self._lock:
            self._stuck += change

    def _connect(self) -> None:
        """This thread's own connection: asked whether it lives after a pause, and after all that failed."""
        mine: Any = connection
        used_at, self._mine.used_at = getattr(self._mine, "used_at", float("-inf")), float("-inf")
        if mine.connection is not None and time.monotonic() - used_at < TRUSTED_SECONDS:
            return
        close_old_connections()
        mine.close_if_health_check_failed()
        if mine.connection is not None:
            return
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, false)", [str(STATEMENT_MS)])
        if not mine.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS"):  # no pooler in between
            # The same few queries again and again: to plan them costs more than to run them.
            keep_prepared()

    def _let_go(self) -> None:
        """Of a connection that is too old or broken. Django's own look at it would take longer than that."""
        mine: Any = connection
        is_good = getattr(self._mine, "used_at", float("-inf")) > float("-inf") and not mine.errors_occurred
        if not is_good or (mine.close_at is not None and time.monotonic() >= mine.close_at):
            close_old_connections()

    def _fail(self, why: str, started: float) -> NotInTime:
        """Calls that were there at the same time fail for the same reason, and count once."""
        with self._lock:
            if started < self._failed_at:
                return NotInTime(why)
            self._failures, self._failed_at = self._failures + 1, time.monotonic()
            if self._failures >= FAILURES:
                self._failures, self._paused_until = 0, time.monotonic() + PAUSE_SECONDS
                log.error("decide_paused", seconds=PAUSE_SECONDS, why=why)
        return NotInTime(why)


Calls = SimpleQueue[tuple[Deadline, _Call[Any]] | None]


def _serve(calls: Calls) -> None:
    while (asked := calls.get()) is not None:
        deadline, call = asked
        if call.begin():
            deadline._work(call)
        del asked, deadline, call  # nothing is to wait here for the next one
    connection.close()


def _end(calls: Calls, threads: int) -> None:
    for _ in range(threads):
        calls.put(None)
