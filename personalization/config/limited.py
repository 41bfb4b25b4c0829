"""What asks the database and must answer in time, even of a database that has stopped in its work.

PostgreSQL that is stopped by a signal, or whose disk hangs, takes connections and never answers: neither
connect_timeout nor tcp_user_timeout ends a statement then, for the kernel goes on acknowledging.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

from django.db import connection

Answer = TypeVar("Answer")


class Limited(Generic[Answer]):
    """`work` in a thread with a connection of its own. One at a time: who asks meanwhile waits for the same
    answer, so however often a dead database is asked, one thread at most is left waiting for it."""

    def __init__(self, work: Callable[[], Answer], *, seconds: float) -> None:
        self._work, self._seconds = work, seconds
        self._lock = threading.Lock()
        self._under_way: Future[Answer] | None = None

    def __call__(self) -> Answer:
        """Raises TimeoutError after `seconds`, and whatever `work` raises."""
        with self._lock:
            if self._under_way is None or self._under_way.done():
                self._under_way = Future()
                threading.Thread(
                    target=self._run, args=(self._under_way,), name="limited", daemon=True
                ).start()
            answer = self._under_way
        return answer.result(timeout=self._seconds)

    def _run(self, answer: Future[Answer]) -> None:
        try:
            found = self._work()
        except Exception as error:
            answer.set_exception(error)
        else:
            answer.set_result(found)
        finally:
            connection.close()
