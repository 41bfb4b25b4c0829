"""Whose a row is: one worker's for a time, which it prolongs; once that has run out, another may begin.

Taking is one UPDATE, which only one worker can win, and a worker writes to its row through `own` alone: who
was canceled or lost it to another meanwhile writes nothing. What kills each worker is not taken for ever.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from django.db.models import Case, F, Model, Q, QuerySet, When
from django.utils import timezone
from django.utils.translation import gettext as _

MOST_ATTEMPTS = 3
Row = TypeVar("Row", bound=Model)


class Lost(Exception):
    """Canceled, removed, or continued by another worker."""


class WorkersDied(Exception):
    """Of those that took the row so far none brought it to an end. Its text is for who asked."""


@dataclass(frozen=True)
class Lease(Generic[Row]):
    """Of rows with `status`, `lease_until` and `attempts`. `mark` is the column that tells one taking from
    another, `unread` are large columns that a worker needs not."""

    model: type[Row]
    waiting: str
    running: str
    lasts: timedelta
    mark: str = "started_at"
    unread: tuple[str, ...] = ()

    def due(self, now: datetime) -> Q:
        """What waits, and what a worker left that died."""
        return Q(status=self.waiting) | self.left(now)

    def left(self, now: datetime) -> Q:
        return Q(status=self.running, lease_until__lt=now)

    def take(self, pk: int, due: Q, *, now: datetime, **fields: Any) -> Row | None:
        """Makes the row ours, if it is due, and writes the fields, which hold the mark; None if it is not, or
        another was first. Attempts are counted from the last time that it waited or had ended."""
        attempts = Case(When(status=self.running, then=F("attempts") + 1), default=1)
        fields = {"status": self.running, "lease_until": now + self.lasts, "attempts": attempts, **fields}
        rows = self.model._default_manager.filter(pk=pk)
        if not rows.filter(due).update(**fields):
            return None
        return rows.filter(**{self.mark: fields[self.mark]}).defer(*self.unread).first()

    def check(self, row: Row) -> None:
        """Raises WorkersDied if the row is to be given up; asked once it is taken, before the work."""
        if row.attempts > MOST_ATTEMPTS:  # type: ignore[attr-defined]
            raise WorkersDied(_("Each worker that tried it died. The operator knows more."))

    def own(self, row: Row) -> QuerySet[Row]:
        """The row as long as it is ours, else nothing."""
        mark = {self.mark: getattr(row, self.mark)}
        return self.model._default_manager.filter(pk=row.pk, status=self.running, **mark)

    def keep(self, row: Row, **fields: Any) -> bool:
        """Prolongs it and writes the fields; False once it is not ours any more."""
        return bool(self.own(row).update(lease_until=timezone.now() + self.lasts, **fields))

    def end(self, row: Row, status: str, **fields: Any) -> None:
        """Whoever lost the row meanwhile leaves it to the next."""
        self.own(row).update(status=status, lease_until=None, **fields)
