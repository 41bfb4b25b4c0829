"""The brake of one chunk: before each message a token from every bucket that limits it.

A short wait is spent here; for a longer one the chunk gives its rest back, untouched and due when there are
tokens again. Who is only held up by the rate of one recipient domain is put off alone, and the others go on.
"""

import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from math import ceil

from django.utils import timezone

from campaigns.ledger import Outcome, Row
from campaigns.models import DeliveryStatus, SkipReason
from campaigns.pacing.bucket import Bucket, BucketsGone, line_up, take
from campaigns.pacing.rates import domain_of
from campaigns.sending.days import Day
from campaigns.sending.gate import Gate
from campaigns.transport.accounts import Account
from campaigns.transport.session import Session

# Waited within one chunk altogether, then other campaigns have their turn.
PATIENCE_SECONDS = 5.0
# Others draw from these buckets already when the first token is further away than this.
BUSY_SECONDS = 0.25
# Pause, cancel and a new rate are noticed between two naps.
NAP_SECONDS = 0.2
# Loading costs the same work for few and for many: at least so many at once.
LEAST_ROWS = 50
GONE_SECONDS = 10.0


class Full(Exception):
    """Nothing more may go for now; the rest of the chunk waits for `wait_seconds`."""

    def __init__(self, wait_seconds: float) -> None:
        super().__init__(f"no token for {wait_seconds:.3f} s")
        self.wait_seconds = wait_seconds


class Throttle:
    """`nap` spends a wait, in seconds."""

    def __init__(self, gate: Gate, session: Session, *, channel: str) -> None:
        self._gate, self._session, self._channel = gate, session, channel
        self.nap: Callable[[float], None] = time.sleep
        self._waited_seconds = 0.0
        self._day = Day()

    @property
    def _account(self) -> Account | None:
        """Tests take no token and no place of a sender's day."""
        return None if self._session.is_silent else self._session.account

    @property
    def per_second(self) -> float | None:
        """What the run may do at most; None: no limit."""
        rates = [bucket.per_second for bucket in self._buckets()]
        return min(rates) if rates else None

    @property
    def limits(self) -> bool:
        """Whether a message may have to wait for its turn, whoever it is for."""
        account = self._account
        if self._gate.per_second is not None:
            return True
        return account is not None and (account.warm_up is not None or account.pace.is_set)

    def start(self, rows: Sequence[Row]) -> tuple[list[Row], list[Outcome]]:
        """As many of `rows` as can go in one turn, and what becomes of those whom the day has no room for.
        Raises Full when others take all there is."""
        if not self._day.has_any_room(self._account):
            return [], [self._tomorrow(row) for row in rows]
        return self._in_one_turn(rows), []

    def _in_one_turn(self, rows: Sequence[Row]) -> list[Row]:
        if self.per_second is None:
            return list(rows)
        wait = self._take(self._buckets(), tokens=0)[1]
        if wait > BUSY_SECONDS:
            raise Full(wait)
        return list(rows)[: max(LEAST_ROWS, ceil(self.per_second * (PATIENCE_SECONDS + 1)))]

    def admit(self, row: Row, rest: Sequence[Row], address: str) -> Outcome | None:
        """Waits for the turn of this message, the first of `rest`, and answers None; else what becomes of it.
        Raises Full, LeaseLost."""
        domain = self._domain(address)
        while True:
            if not self._day.has_room(self._account, domain):
                return self._tomorrow(row)
            buckets = self._buckets(domain)
            lacking, wait = self._take(buckets)
            if lacking is None:
                self._day.use(domain)
                return None
            if domain and lacking.key.endswith(f":{domain}") and wait > NAP_SECONDS / 4:
                return self._later(row, lacking, wait)
            if self._waited_seconds + wait > PATIENCE_SECONDS:
                raise Full(wait)
            nap = min(wait, NAP_SECONDS)
            self.nap(nap)
            self._waited_seconds += nap
            refused = self._gate.refusal(row, rest)
            if refused is not None:
                return refused

    def is_over(self, row: Row, address: str) -> Outcome | None:
        """What becomes of a message before it is made, when the day has no room for it."""
        has_room = self._day.has_room(self._account, self._domain(address))
        return None if has_room else self._tomorrow(row)

    def _domain(self, address: str) -> str:
        return domain_of(address) if self._channel == "email" else ""

    def close(self) -> None:
        """Gives back the places that were not used."""
        self._day.close()

    def _tomorrow(self, row: Row) -> Outcome:
        due_at = self._day.goes_on_at
        return Outcome(row.id, DeliveryStatus.PENDING, SkipReason.WARM_UP, counts=False, due_at=due_at)

    def _later(self, row: Row, lacking: Bucket, wait: float) -> Outcome:
        try:
            turn = line_up(lacking, wait_seconds=wait)
        except BucketsGone:
            raise Full(GONE_SECONDS) from None
        due_at = timezone.now() + timedelta(seconds=turn)
        return Outcome(row.id, DeliveryStatus.PENDING, SkipReason.RATE, counts=False, due_at=due_at)

    def _take(self, buckets: Sequence[Bucket], *, tokens: int = 1) -> tuple[Bucket | None, float]:
        try:
            taken = take(buckets, tokens=tokens)
        except BucketsGone:
            raise Full(GONE_SECONDS) from None
        return taken.lacking, taken.wait_seconds

    def _buckets(self, domain: str = "") -> list[Bucket]:
        found = []
        if self._gate.per_second is not None:
            found.append(Bucket(f"run:{self._gate.claim.run_id}", self._gate.per_second))
        account = self._account
        if account is None:
            return found
        if account.pace.per_second is not None:
            found.append(Bucket(account.key, account.pace.per_second))
        rate = account.pace.of_domain(domain) if domain else None
        if rate is not None:
            found.append(Bucket(f"{account.key}:{domain}", rate))
        return found
