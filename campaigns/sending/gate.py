"""The gate before each message: does the run still go on, do we still hold the chunk, is this person still to
be written to. Asked of the database again whenever the last answer is older than half a second."""

import time
from collections.abc import Collection, Sequence

from django.db import DatabaseError
from django.utils import timezone

from campaigns import ledger
from campaigns.journeys.leaving import left_among
from campaigns.ledger import Claim, Outcome, Row
from campaigns.limits.holding import Holding
from campaigns.limits.permission import permitted_ids
from campaigns.models import DeliveryStatus, RunStatus, SkipReason
from campaigns.sending.context import RunContent
from experiments.traffic import holdouts
from personalization.customers import selectors as customers
from personalization.importing.passing import ask

FRESH_SECONDS = 0.5


class Withdrawn(Exception):
    """Between composing and the dot the customer said no, or the hour came in which we keep still. `outcome`:
    what becomes of the message."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self.outcome = outcome


class LeaseLost(Exception):
    """We may no longer send for this chunk: its lease ran out, or the run was paused or canceled."""


class Gate:
    """`per_second`: the run's rate when it was looked at last, None for none."""

    def __init__(self, claim: Claim, run: RunContent, *, deadline_from: float) -> None:
        self.claim = claim
        self.per_second: float | None = None
        self._holding: Holding | None = None
        self._run = run
        self._lease = ledger.LEASE.total_seconds()
        # Counted from before the claim was written, by a clock nobody sets: we stop before others may begin.
        self._deadline = deadline_from + self._lease * 0.8
        self._renew_at = deadline_from + self._lease * 0.4
        self._looked_at = 0.0
        self._asked: Collection[int] = ()
        self._consented: Collection[int] = ()
        self._suppressed: Collection[int] = ()
        self._held_out: Collection[int] = ()
        self._left: Collection[int] = ()

    def goes_on(self) -> bool:
        """Whether the run is being sent; takes note of its rate."""
        found = ask("SELECT status, per_second FROM campaigns_run WHERE id = %s", [self.claim.run_id])
        [(status, self.per_second)] = found
        return bool(status == RunStatus.SENDING)

    @property
    def is_stale(self) -> bool:
        return time.monotonic() - self._looked_at > FRESH_SECONDS

    def look(self, rows: Sequence[Row]) -> None:
        """Asks who of `rows` may be written to now. Raises LeaseLost when the run no longer goes on."""
        started = time.monotonic()
        ids = [row.customer_id for row in rows if row.customer_id is not None]
        channel, topic = self._run.channel.name, self._run.content["topic"]
        if not self.goes_on():
            raise LeaseLost("the run was stopped")
        self._consented = permitted_ids(ids, channel=channel, topic=topic)
        self._suppressed = customers.suppressed_ids(ids, channel=channel)
        # Also who entered after the audience was frozen.
        own = self._run.content.get("holdout")
        self._held_out, _chance = holdouts.draw(
            ids, at=timezone.now(), also=[own] if own else [], is_kept=not self._run.is_test
        )
        self._left = left_among([row.occurrence for row in rows if row.occurrence > 0], now=timezone.now())
        self._asked = {row.id for row in rows}
        self._looked_at = started

    def reserve(self, rows: Sequence[Row], holding: Holding | None) -> dict[int, Outcome]:
        """Looks at all rows, and reserves places under the caps for those whom nothing is against; outcomes,
        by delivery, of those who get nothing now. Without `holding` nothing holds anybody back."""
        self.look(rows)
        self._holding = holding
        refused = {row.id: outcome for row in rows if (outcome := self._judge(row))}
        if holding is None:
            return refused
        return refused | holding.reserve([row for row in rows if row.id not in refused], now=timezone.now())

    def refusal(self, row: Row, rest: Sequence[Row]) -> Outcome | None:
        """What becomes of a message that may not go now; None when nothing is against it. `rest`: this row
        and those after."""
        self.fence()
        if self.is_stale or row.id not in self._asked:
            self.look(rest)
        return self._judge(row) or self._closed(row)

    def _closed(self, row: Row) -> Outcome | None:
        """Whether quiet hours have begun for this customer since the place was reserved."""
        if self._holding is None or self._holding.is_always_open:
            return None
        return self._holding.closed(row, now=timezone.now())

    def _judge(self, row: Row) -> Outcome | None:
        reason = self._reason(row)
        return Outcome(row.id, DeliveryStatus.SKIPPED, reason, counts=False) if reason else None

    def _reason(self, row: Row) -> str:
        if row.customer_id is None:
            return SkipReason.ERASED
        if row.occurrence > 0 and row.occurrence in self._left:
            return SkipReason.LEFT_JOURNEY
        if row.customer_id in self._held_out:
            return SkipReason.HOLDOUT
        if row.customer_id not in self._consented:
            return SkipReason.NO_CONSENT
        if row.customer_id in self._suppressed:
            return SkipReason.SUPPRESSED
        return ""

    def fence(self) -> None:
        """Stops us when the lease may have passed to another. Raises LeaseLost."""
        now = time.monotonic()
        if now > self._renew_at:
            self._renew(now)
        if now > self._deadline:
            raise LeaseLost("the lease ran out")

    def _renew(self, now: float) -> None:
        self._renew_at = now + 1.0
        try:
            held = ledger.renew(self.claim)
        except DatabaseError:
            return  # perhaps it comes back before the deadline
        if not held:
            raise LeaseLost("the lease was taken over")
        self._deadline = now + self._lease * 0.8
        self._renew_at = now + self._lease * 0.4
