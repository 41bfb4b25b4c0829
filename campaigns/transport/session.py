"""What goes over any wire: a message ready for it, the answer, and the connection that is kept for many."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from campaigns.transport.accounts import Account


class ChannelError(Exception):
    """The other side cannot be reached or refuses us as a whole; the chunk waits."""


@dataclass(frozen=True)
class DeviceResult:
    """What became of one message on one device. `device`: its service and a short hash, never its address;
    `outcome`: a kind of Answer, gone (the device no longer exists) or not_tried."""

    device: str
    outcome: str
    answer: str
    at: float  # seconds since the epoch


class Answer(msgspec.Struct, frozen=True):
    """What became of one message.

    sent: taken over. refused: never will be (permanent). later: not taken, try again. unknown: handed over
    without an answer, so it may have been taken; it must not be sent again. For a part to one device also
    gone: that device no longer exists.
    """

    kind: str
    detail: str = ""
    retry_after: float = 0.0  # seconds the other side asks us to wait
    devices: tuple[DeviceResult, ...] = ()


class Outgoing(msgspec.Struct, frozen=True):
    """A message ready for the wire. `data` is what the channel's session understands; `key` is the same for
    every try. With `parts` (one for each device) only they go out, and `data` is what they have in common."""

    sender: str
    address: str
    data: Any
    key: str = ""
    device: str = ""  # of a part, as in DeviceResult
    parts: tuple["Outgoing", ...] = ()


class Session(ABC):
    """A connection that is kept for many messages. `is_silent`: they are tests; none may leave the house."""

    is_silent = False

    @property
    def account(self) -> Account | None:
        """With which provider the next message goes, as far as that is known; None for no account."""
        return None

    @abstractmethod
    def send(self, message: Outgoing, *, intent: Callable[[], None]) -> Answer:
        """Hands one message over. Calls `intent` just before the step after which it may be taken; when that
        raises, the message was certainly not taken. Raises ChannelError when there is no connection."""

    def announce_next(self, ahead: Callable[[], Outgoing | None]) -> None:  # noqa: B027
        """Whom the next `send` may ask, before its message is complete, for the message that follows it: a
        session that can begin one with the end of another saves a journey to the server."""

    def beside(self, number: int) -> "Sequence[Session]":
        """Up to `number` more sessions to the account that sends now, for others to wait at; they are kept
        and belong to this one. What fails there is for this one to judge. Empty: one at a time is all there
        is."""
        return ()

    @abstractmethod
    def check(self) -> None:
        """Called before each chunk: drops a connection that the other side closed in the pause."""

    @abstractmethod
    def close(self) -> None: ...
