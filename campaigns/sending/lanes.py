"""Several messages under way at a time, to a server or provider that answers slowly.

A lane is a connection and a thread that waits at it, and does nothing else. What is decided or written down
(permission, the lease, tokens, the journal, the ledger) stays with the one thread that works on the chunk: a
lane asks it for each such step and waits until it was taken. So all that holds for one message after the
other holds here, but that a worker that dies leaves as many messages *unknown* as it had lanes.
"""

import contextvars
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from time import monotonic
from typing import Any, TypeVar

import structlog
from django.db import connections

from campaigns.sending.gate import LeaseLost
from campaigns.sending.making import Made, Making
from campaigns.transport.session import ChannelError, Outgoing, Session

END_SECONDS = 5.0
T = TypeVar("T")


class GivenBack(LeaseLost):
    """The work on the chunk ended while a lane was waiting."""


class Lane:
    """`next`: the message that its connection has begun. `is_free`: it is open and has nothing
    to do."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.inbox: queue.SimpleQueue[Made | None] = queue.SimpleQueue()
        self.next: Made | None = None
        self.is_open = False
        self.is_free = False
        self.is_gone = False


class Lanes:
    """`hand_over` is called in a lane's thread, with `via=in_turn`; `settle` in the caller's. `is_stuck`:
    `run` was interrupted, and a thread still waits at its session."""

    def __init__(self, making: Making, *, hand_over: Callable[..., Any], settle: Callable[..., None]) -> None:
        self._making, self._hand_over, self._settle = making, hand_over, settle
        self._lanes: list[Lane] = []
        self._steps: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._left: list[Made] = []
        self._trouble: BaseException | None = None
        self._is_over = False
        self.is_stuck = False

    def run(self, sessions: Sequence[Session]) -> list[Made]:
        """Until every message is handed over; answers those taken from `making` that no lane could hand over,
        which were certainly not taken by the server. Raises what `making` and the steps raise, once nothing
        is under way any more."""
        self._lanes = [Lane(session) for session in sessions]
        threads = [self._start(lane) for lane in self._lanes]
        try:
            while self._give():
                self._steps.get()()
        finally:
            self.is_stuck = not self._end(threads)
        if self._trouble is not None:
            raise self._trouble
        return self._left

    def serve(self, seconds: float) -> None:
        """Spends a wait on the steps that lanes ask for."""
        until = monotonic() + seconds
        while (rest := until - monotonic()) > 0:
            try:
                step = self._steps.get(timeout=rest)
            except queue.Empty:
                return
            step()

    def in_turn(self, step: Callable[..., T]) -> Callable[..., T]:
        """For a lane: the same step, taken by the chunk's own thread."""

        def asked(*args: Any) -> T:
            if self._is_over:
                raise GivenBack
            future: Future[T] = Future()
            self._steps.put(partial(self._take_step, future, partial(step, *args)))
            return future.result()

        return asked

    def _take_step(self, future: Future[T], step: Callable[[], T]) -> None:
        try:
            if self._is_over:
                raise GivenBack
            future.set_result(step())
        except BaseException as error:
            future.set_exception(error)

    def _give(self) -> bool:
        """Whether something is under way after every free lane got a message, as far as there are some."""
        for lane in self._lanes:
            if not lane.is_free:
                continue
            made, lane.next = lane.next, None
            if made is None and (made := self._take(self._making.take)) is None:
                continue
            lane.is_free = False
            lane.inbox.put(made)
        waits = [lane for lane in self._lanes if not (lane.is_free or lane.is_gone)]
        if self._trouble is None and self._making.left:
            return bool(waits)
        return any(lane.is_open for lane in waits)  # nothing is left for one that opens slowly

    def _take(self, take: Callable[[], Made | None]) -> Made | None:
        if self._trouble is not None:
            return None
        try:
            return take()
        except Exception as error:  # the rest of the chunk ends with it, when what is under way has ended
            self._trouble = error
            return None

    def _ahead(self, lane: Lane) -> Outgoing | None:
        lane.next = lane.next or self._take(self._making.take_ahead)
        return lane.next.message if lane.next else None

    def _start(self, lane: Lane) -> threading.Thread:
        context = contextvars.copy_context()
        thread = threading.Thread(target=context.run, args=(self._work, lane), daemon=True)
        thread.start()
        return thread

    def _work(self, lane: Lane) -> None:
        made: Made | None = None
        try:
            lane.session.check()
            self._steps.put(partial(self._opened, lane))
            while (made := lane.inbox.get()) is not None:
                structlog.contextvars.bind_contextvars(delivery=made.row.id)
                lane.session.announce_next(partial(self.in_turn(self._ahead), lane))
                answer = self._hand_over(lane.session, made, via=self.in_turn)
                self._steps.put(partial(self._ended, lane, made, answer))
        except BaseException as error:  # none may end a thread that others wait for
            self._steps.put(partial(self._failed, lane, made, error))
        finally:
            connections.close_all()

    def _opened(self, lane: Lane) -> None:
        lane.is_open = lane.is_free = True

    def _ended(self, lane: Lane, made: Made, answer: Any) -> None:
        lane.is_free = True
        try:
            self._settle(made, answer)
        except Exception as error:
            self._trouble = self._trouble or error

    def _failed(self, lane: Lane, made: Made | None, error: BaseException) -> None:
        lane.is_gone = True
        if isinstance(error, ChannelError):
            self._left += [one for one in (made, lane.next) if one is not None]
        else:
            self._trouble = self._trouble or error

    def _end(self, threads: Sequence[threading.Thread]) -> bool:
        """Whether all threads have ended. A lane that still waits, because we were interrupted, gets no
        further step."""
        self._is_over = True
        for lane in self._lanes:
            lane.inbox.put(None)
        until = monotonic() + END_SECONDS
        while any(thread.is_alive() for thread in threads) and monotonic() < until:
            self.serve(0.001)
        return not any(thread.is_alive() for thread in threads)
