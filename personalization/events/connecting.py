"""The database connection of a thread that takes call after call."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import local
from typing import Any

from django.db import connection

TRUSTED_SECONDS = 1.0
PREPARE_AFTER = 2
_mine = local()


@contextmanager
def trusted_connection() -> Iterator[None]:
    """Inside it the connection is asked whether it lives only after a pause, or after a call that failed: the
    question costs as much as any other. What is asked by the driver's own cursor is planned once.
    """
    used_at, _mine.used_at = getattr(_mine, "used_at", float("-inf")), float("-inf")
    mine: Any = connection
    if time.monotonic() - used_at < TRUSTED_SECONDS:
        mine.health_check_done = True
    connection.ensure_connection()
    if not mine.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS"):  # no pooler in between
        mine.connection.prepare_threshold = PREPARE_AFTER
    yield
    _mine.used_at = time.monotonic()
