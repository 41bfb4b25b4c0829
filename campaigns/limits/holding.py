"""One chunk's limits: who is held back now, until when, and who is dropped for it."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from campaigns.ledger import Outcome, Row
from campaigns.limits import caps
from campaigns.limits.hours import OpenHours, quiet_hours
from campaigns.models import DeliveryStatus, SkipReason
from campaigns.schedule.timing import Timing

# When a window never opens there is no time to wait for: look again in case a rule was changed.
NEVER = timedelta(hours=6)


class Holding:
    def __init__(
        self,
        profiles: Mapping[int, Mapping[str, Any]],
        *,
        timing: Timing,
        channel: str,
        topic: str,
        with_locks: bool = True,
    ) -> None:
        self._with_locks = with_locks
        self._timing = timing
        self._channel, self._topic = channel, topic
        self._caps = caps.caps_for(channel=channel, topic=topic)
        quiet = quiet_hours(timing, channel=channel, topic=topic)
        self._hours = OpenHours(profiles, timing=timing, quiet=quiet)

    @property
    def is_always_open(self) -> bool:
        """Whether no hour of anybody is closed to such messages."""
        return self._hours.always

    def reserve(self, rows: Sequence[Row], *, now: datetime) -> dict[int, Outcome]:
        """Reserves a place under the caps for whom it is open now; outcomes, by delivery, of all others."""
        held = {row.id: outcome for row in rows if (outcome := self.closed(row, now=now))}
        if self._caps is None:
            return held
        asked = [row for row in rows if row.id not in held]
        capped = caps.reserve(
            asked, caps=self._caps, channel=self._channel, topic=self._topic, now=now,
            with_locks=self._with_locks,
        )  # fmt: skip
        for row in asked:
            if row.id in capped:
                held[row.id] = self._hold(row, SkipReason.CAP, capped[row.id], self._timing.cap_rule, now)
        return held

    def closed(self, row: Row, *, now: datetime) -> Outcome | None:
        """What becomes of the message when it is not this customer's hour; None when it is."""
        opens_at = self._hours.opens_at(row.customer_id, now=now)
        if opens_at == now:
            return None
        until = opens_at or now + NEVER
        return self._hold(row, SkipReason.QUIET_HOURS, until, self._timing.quiet_rule, now)

    def _hold(self, row: Row, reason: str, until: datetime, rule: str, now: datetime) -> Outcome:
        ends_at = row.wait_ends_at or now + timedelta(hours=self._timing.max_wait_hours)
        # A second message to the same customer in one chunk is not capped: its turn comes at once.
        if until > now and (rule == "drop" or now >= ends_at):
            return Outcome(row.id, DeliveryStatus.SKIPPED, reason, counts=False)
        return Outcome(
            row.id, DeliveryStatus.PENDING, reason, counts=False, due_at=min(until, max(ends_at, now)),
            wait_ends_at=ends_at,
        )  # fmt: skip
