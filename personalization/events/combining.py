"""Threads that bring work at the same moment have it done together, by one of them.

Nobody waits for work that has not come yet: who finds a free place begins at once. Who finds none waits until
one of the others is done, and then does all that came meanwhile.
"""

from collections import deque
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Generic, TypeVar

Work = TypeVar("Work")
Result = TypeVar("Result")


class _Ticket(Generic[Work, Result]):
    """One thread's work, and what it is told when it wakes."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.leads = False
        self.results: list[Result] = []  # one when it was done by another thread, else none
        self._asleep = Lock()
        self._asleep.acquire()

    def wait(self) -> None:
        self._asleep.acquire()

    def wake(self) -> None:
        self._asleep.release()


class Combiner(Generic[Work, Result]):
    """`act` does many works at once and answers all that came of them; it runs in one of their threads.

    Where it fails for several, each thread does its own alone: no work fails for its neighbor. `places`: how
    many threads act at once; `most`: how many works they take on together.
    """

    def __init__(self, act: Callable[[Sequence[Work]], Result], *, places: int, most: int) -> None:
        self._act, self._free, self._most = act, places, most
        self._waiting: deque[_Ticket[Work, Result]] = deque()
        self._guard = Lock()

    def run(self, work: Work) -> Result:
        """What came of the work, and perhaps of others'. Raises what `act` raises for this work alone."""
        mine: _Ticket[Work, Result] = _Ticket(work)
        with self._guard:
            mine.leads = self._free > 0
            if mine.leads:
                self._free -= 1
            else:
                self._waiting.append(mine)
        if not mine.leads:
            mine.wait()
        if mine.leads:
            self._lead(mine)
        return mine.results[0] if mine.results else self._act([work])

    def _lead(self, mine: _Ticket[Work, Result]) -> None:
        """This work and what waits, at once. What fails for several is left to each thread's own `run`."""
        with self._guard:
            others = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._most - 1))]
        together = [mine, *others]
        try:
            result = self._act([ticket.work for ticket in together])
            for ticket in together:
                ticket.results.append(result)
        except Exception:
            if not others:
                raise
        finally:
            self._give_place_on()
            for ticket in others:
                ticket.wake()

    def _give_place_on(self) -> None:
        with self._guard:
            heir = self._waiting.popleft() if self._waiting else None
            if heir is None:
                self._free += 1
            else:
                heir.leads = True
        if heir is not None:
            heir.wake()
