"""A decision in time, or none: what is slow behind it may hold up a thread, never a visitor's page."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from threading import Barrier, BoundedSemaphore, Lock, local
from typing import Any, Generic, TypeVar

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

    def __init__(self) -> None:
        self._lock = Lock()
        self._is_over = False
        self.answer: Answer | None = None

    def deliver(self, answer: Answer) -> bool:
        """False when nobody waits any more."""
        with self._lock:
            if self._is_over:
                return False
            self.answer = answer
            return True

    def give_up(self) -> Answer | None:
        """The answer, if it was delivered in the last moment."""
        with self._lock:
            self._is_over = True
            return self.answer

    @property
    def is_given_up(self) -> bool:
        """Whether its answer came too late, or will never come."""
        with self._lock:
            return self._is_over and self.answer is None


class Deadline:
    """Runs work in a few threads of its own and waits for it no longer than `seconds`."""

    def __init__(self, seconds: float = SECONDS, *, threads: int = THREADS) -> None:
        self._seconds, self._threads = seconds, threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="decide")
        self._free = BoundedSemaphore(threads)
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
        patience = self._seconds if self._stuck < self._threads else 0.0
        if not self._free.acquire(timeout=patience):
            raise self._fail("busy", started)
        try:
            call: _Call[Answer] = _Call()
            future = self._pool.submit(self._work, call, work, then)
        except RuntimeError as error:
            self._free.release()
            raise NotInTime("shutting down") from error
        try:
            answer = future.result(timeout=max(self._seconds - (time.monotonic() - started), 0))
        except TooLate as error:
            late = call.give_up()
            if late is None:
                self._count_stuck(+1)
                raise self._fail("too slow", started) from error
            answer = late
        except ProblemError:
            self._failures = 0
            raise
        except Exception as error:
            log.warning("decide_failed", error=type(error).__name__)
            raise self._fail(type(error).__name__, started) from error
        self._failures = 0
        return answer

    def _work(
        self, call: _Call[Answer], work: Callable[[], Answer], then: Callable[[Answer], None] | None
    ) -> Answer:
        try:
            self._connect()
            answer = work()
            self._mine.used_at = time.monotonic()
            if call.deliver(answer) and then is not None:
                then(answer)
            return answer
        finally:
            self._let_go()
            if call.is_given_up:
                self._count_stuck(-1)
            self._free.release()

    def in_all_threads(self, work: Callable[[], object], *, seconds: float) -> None:
        """`work` once in each thread, whose connection is open then. Raises what the first of them raises,
        BrokenBarrierError when they do not all begin within `seconds`.
        """
        together = Barrier(self._threads)

        def once() -> None:
            together.wait(seconds)
            self._connect()
            work()

        for done in [self._pool.submit(once) for _ in range(self._threads)]:
            done.result()

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
