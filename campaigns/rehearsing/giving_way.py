"""A rehearsal locks what a launch locks, for as long as it takes. Real work goes first: when somebody waits
for it, it ends.
"""

from time import monotonic

from django.db import connection
from django.utils.translation import gettext as _

from campaigns.errors import InvalidState
from personalization.access.jobs.work import Tell

LOOK_SECONDS = 1.0
# So long may somebody wait: another save, a trigger of the same journey, the erasure of a person.
PATIENCE_SECONDS = 5.0
# pg_locks, not pg_stat_activity: that one stays within a transaction as it was first read.
_SOMEBODY_WAITS = """
    SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid)))
"""


class GaveWay(InvalidState):
    """Something real waited for the rehearsal."""


class GivingWay:
    """Passes on which share is done. Raises GaveWay, within the transaction of the rehearsal."""

    def __init__(self, tell: Tell) -> None:
        self._tell, self._looked_at = tell, monotonic()
        self._waited_since: float | None = None

    def __call__(self, share: float) -> None:
        self._tell(share)
        now = monotonic()
        if now - self._looked_at < LOOK_SECONDS:
            return
        self._looked_at = now
        if not _somebody_waits():
            self._waited_since = None
            return
        self._waited_since = now if self._waited_since is None else self._waited_since
        if now - self._waited_since >= PATIENCE_SECONDS:
            raise GaveWay(_("Real work waited for what the rehearsal uses, so it ended. Rehearse it again."))


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_SOMEBODY_WAITS)
        return bool(cursor.fetchone()[0])
