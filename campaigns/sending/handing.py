"""Handing over the messages of a chunk: one after the other to a server that answers quickly, in lanes to one
that makes us wait."""

import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from campaigns.ledger import Outcome
from campaigns.models import DeliveryStatus
from campaigns.sending import devices
from campaigns.sending.composing import Composer
from campaigns.sending.gate import Gate, Withdrawn
from campaigns.sending.journal import Journal
from campaigns.sending.lanes import Lanes
from campaigns.sending.making import Made, Making
from campaigns.sending.settling import give_up
from campaigns.sending.throttle import Throttle
from campaigns.transport.session import Answer, DeviceResult, Session
from personalization import tracing

S = DeliveryStatus
STATUS = {"sent": S.SENT, "refused": S.FAILED, "later": S.PENDING, "unknown": S.UNKNOWN}
# Lanes cost some 100 µs of processor a message: they pay where so many in a row waited longer than this.
SLOW_SECONDS = 0.004
SLOW_IN_A_ROW = 3


Step = Callable[..., Any]


def _here(step: Step) -> Step:
    return step


class Handing:
    """`outcomes` gets what becomes of each message."""

    def __init__(self, pages: Journal, *, gate: Gate, composer: Composer, outcomes: list[Outcome]) -> None:
        self._pages, self._gate, self._composer, self._outcomes = pages, gate, composer, outcomes
        self._own_seconds = 0.0  # of the last message: what was not waited for the server

    def all(self, making: Making, session: Session, throttle: Throttle) -> None:
        """Raises Full, LeaseLost, JournalError and ChannelError; nobody of the rest was touched then."""
        slow, may_widen = 0, settings.SEND_CONNECTIONS > 1
        while (made := making.take()) is not None:
            # Lanes cannot go on with a message that was begun here.
            if slow < SLOW_IN_A_ROW - 1 or not may_widen:
                session.announce_next(making.ahead)
            began, self._own_seconds = time.monotonic(), 0.0
            self._one(session, made)
            slow = slow + 1 if time.monotonic() - began - self._own_seconds > SLOW_SECONDS else 0
            if slow >= SLOW_IN_A_ROW and may_widen and making.left > 1:
                may_widen = False
                self._in_lanes(making, session, throttle)

    def _in_lanes(self, making: Making, session: Session, throttle: Throttle) -> None:
        """What the lanes could not hand over goes on here."""
        lanes = Lanes(making, hand_over=self.hand_over, settle=self.settle)
        throttle.nap = lanes.serve
        try:
            left = lanes.run(session.beside(min(settings.SEND_CONNECTIONS, making.left)))
        finally:
            throttle.nap = time.sleep
            if lanes.is_stuck:
                session.close()
        for made in left:
            self._one(session, made)

    def _one(self, session: Session, made: Made) -> None:
        self.settle(made, self.hand_over(session, made))

    def hand_over(
        self, session: Session, made: Made, *, via: Callable[[Step], Step] = _here
    ) -> Answer | Outcome:
        """What the server said, or what becomes of a message that may not go in the last moment. `via` makes
        a step that has to be taken by the chunk's own thread."""
        row, left = made.row, [made.copy]  # the first intent carries it

        def intent() -> None:
            began = time.monotonic()
            # The last look before the dot: slow servers make the way here long.
            if refused := self._gate.refusal(row, made.rest):
                raise Withdrawn(refused)
            self._gate.fence()
            self._pages.intent(row.id, row.attempt, time.time(), left.pop() if left else b"")
            self._own_seconds = time.monotonic() - began

        def note(found: DeviceResult) -> None:
            self._pages.device(row.id, row.attempt, asdict(found))

        with tracing.span("hand over message", {"bespoke.delivery": row.id}, kind="CLIENT"):
            try:
                answer = devices.hand_over(session, made.message, intent=via(intent), note=via(note))
            except Withdrawn as withdrawn:
                return withdrawn.outcome
            tracing.note({"bespoke.answer": answer.kind}, failed=answer.kind != "sent")
            return answer

    def settle(self, made: Made, answer: Answer | Outcome) -> None:
        """Raises JournalError."""
        if isinstance(answer, Outcome):
            self._outcomes.append(answer)
            return
        row, now, status = made.row, time.time(), STATUS[answer.kind]
        outcome = Outcome(
            row.id, status, detail=answer.detail, at=datetime.fromtimestamp(now, UTC),
            inputs=self._composer.inputs(row), unused=self._composer.unused_coupons(row), copy=made.copy,
            devices=devices.as_json(answer.devices),
        )  # fmt: skip
        # The outcome is kept before the journal is told: should its disk be full now, we still know.
        self._outcomes.append(give_up(outcome, row, answer.retry_after))
        if status != S.UNKNOWN:
            self._pages.result(row.id, row.attempt, now, status, answer.detail)
