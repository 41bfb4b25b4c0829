"""What a decision takes from memory is read anew a little before it is too old, by a thread of its own: no
visitor waits for it.

Where this thread is late or fails, decisions read for themselves, as they do in a process without it.
"""

import time
from threading import Event, Lock, Thread

import structlog
from django.db import close_old_connections, connection

from campaigns.onsite import live
from campaigns.onsite.deciding import CATALOG_SECONDS
from recommender import selectors as recommender

log = structlog.get_logger(__name__)
STEP_SECONDS = CATALOG_SECONDS / 2
# After so long without a question nothing is read until the next one.
IDLE_SECONDS = 10.0
STATEMENT_MS = 5_000
FAILED_STEPS = 10


class Refresher:
    def __init__(self, *, step_seconds: float = STEP_SECONDS, idle_seconds: float = IDLE_SECONDS) -> None:
        self._step_seconds, self._idle_seconds = step_seconds, idle_seconds
        self._asked_at = float("-inf")
        self._asked = Event()
        self._lock = Lock()
        self._thread: Thread | None = None

    def note_question(self) -> None:
        """Somebody decides: what that takes is kept fresh from now on, for a while."""
        self._asked_at = time.monotonic()
        self._asked.set()

    def start(self) -> None:
        """Once in a process that serves; a second time it does nothing."""
        with self._lock:
            if self._thread is None:
                self._thread = Thread(target=self._run, daemon=True, name="refresh")
                self._thread.start()

    def _run(self) -> None:
        while True:
            self._asked.wait()
            time.sleep(self._step_seconds)
            if time.monotonic() - self._asked_at > self._idle_seconds:
                self._asked.clear()
                connection.close()
                continue
            try:
                refresh(self._step_seconds)
            except Exception as error:  # the database may be down for a while
                log.warning("decide_not_refreshed", error=type(error).__name__)
                time.sleep(FAILED_STEPS * self._step_seconds)
            close_old_connections()


def refresh(step_seconds: float = STEP_SECONDS) -> None:
    """Reads what would be too old before the step after this one."""
    if connection.connection is None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, false)", [str(STATEMENT_MS)])
    live.refresh(max_age=live.SECONDS - 2 * step_seconds)
    recommender.refresh(max_age=CATALOG_SECONDS - 1.5 * step_seconds)
