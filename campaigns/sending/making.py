"""The messages of a chunk, a few made and then squeezed at a time: what does one of these then stays in the
processor's own memory, where making, squeezing and sending by turns drive each other out. Never more: a
server that hangs must find no pile of messages in ours."""

from collections import deque
from collections.abc import Sequence

import msgspec
import structlog

from campaigns.ledger import Outcome, Row
from campaigns.models import DeliveryStatus
from campaigns.sending.composing import Composer, NotPossible
from campaigns.sending.context import RunContent
from campaigns.sending.copies import wire_bytes
from campaigns.sending.gate import Gate
from campaigns.sending.throttle import Throttle
from campaigns.transport.session import Outgoing, Session

AT_A_TIME = 8  # saves a fifth of all the work of a message; 4 save less, 16 and 32 no more


class Made(msgspec.Struct):
    """`rest`: its row and those after. `copy`: the message squeezed, once it was taken (see `copies`)."""

    row: Row
    rest: Sequence[Row]
    message: Outgoing
    copy: bytes = b""


class Making:
    """`outcomes` gets what becomes of those for whom there is no message now."""

    def __init__(
        self,
        run: RunContent,
        rows: Sequence[Row],
        *,
        gate: Gate,
        composer: Composer,
        session: Session,
        throttle: Throttle,
        outcomes: list[Outcome],
    ) -> None:
        self._run, self._rows, self._gate, self._composer = run, rows, gate, composer
        self._session, self._throttle, self._outcomes = session, throttle, outcomes
        self._next = 0
        # Every line of the log is about one delivery; set at the variable itself, in a fifth of the time.
        self._name = structlog.contextvars.bind_contextvars(delivery=0)["delivery"].var
        self._current: Made | None = None
        self._ready: deque[Made] = deque()

    @property
    def left(self) -> int:
        """How many rows were not taken yet."""
        return len(self._rows) - self._next + len(self._ready)

    def take(self) -> Made | None:
        """The next message, with its tokens; None when there is none left. Raises Full, LeaseLost and
        ChannelError."""
        while True:
            made = self._current = self._ready.popleft() if self._ready else self._make()
            if made is None:
                return None
            self._name.set(made.row.id)
            held = self._throttle.admit(made.row, made.rest, made.message.address)
            if held is None:
                self._make_some()
                made.copy = made.copy or self._squeezed(made)
                return made
            self._outcomes.append(held)

    def take_ahead(self) -> Made | None:
        """As `take`, while another is under way: None also where it may have to wait for its turn."""
        return None if self._throttle.limits else self.take()

    def ahead(self) -> Outgoing | None:
        """The message after the one that was taken; None where it may have to wait for its turn, so that
        nobody waits for it in the middle of another."""
        return self._ready[0].message if self._ready and not self._throttle.limits else None

    def _make_some(self) -> None:
        """Unless each has to wait for its turn: then it is made when it is due."""
        if self._ready or self._throttle.limits or self._current is None:
            return
        while len(self._ready) < AT_A_TIME and (made := self._make()) is not None:
            self._ready.append(made)
        for made in self._ready:
            made.copy = self._squeezed(made)
        self._name.set(self._current.row.id)

    def _squeezed(self, made: Made) -> bytes:
        return self._run.pattern(made.row.variant).pack(wire_bytes(made.message.data))

    def _make(self) -> Made | None:
        while self._next < len(self._rows):
            row = self._rows[self._next]
            self._name.set(row.id)
            # Whoever asks now also asks for the message in hand, which has not had its dot yet.
            asked = self._current.rest if self._current else self._rows
            address = self._composer.address_of(row)
            refused = self._gate.refusal(row, asked) or self._throttle.is_over(row, address)
            rest = self._rows[self._next :]
            self._next += 1
            if refused:
                self._outcomes.append(refused)
                continue
            try:
                return Made(row, rest, self._composer.compose(row, self._session))
            except NotPossible as error:
                self._outcomes.append(
                    Outcome(row.id, DeliveryStatus.SKIPPED, error.reason, str(error), counts=False)
                )
        return None
