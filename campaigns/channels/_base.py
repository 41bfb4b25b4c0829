"""What every channel can do: know an address, compile, compose, and hand a message over."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Protocol


class ChannelError(Exception):
    """The other side cannot be reached or refuses us as a whole; the chunk waits."""


@dataclass(frozen=True)
class Answer:
    """What became of one message.

    sent: taken over. refused: never will be (permanent). later: not taken, try again. unknown: handed over
    without an answer, so it may have been taken; it must not be sent again.
    """

    kind: str
    detail: str = ""


@dataclass(frozen=True)
class Recipient:
    """To whom, and the links that are this person's own."""

    address: str
    name: str
    message_id: str  # 32 hex digits, the same however often it is tried
    unsubscribe_url: str


@dataclass(frozen=True)
class Outgoing:
    """A message ready for the wire. `data` is what the channel's session understands."""

    sender: str
    address: str
    data: Any


@dataclass(frozen=True)
class Sheet:
    """What all messages of one variant of a run share."""

    run_id: int
    campaign_id: int
    variant: str
    content: Mapping[str, Any]  # the run's, as frozen
    at: datetime


class Template(Protocol):
    def render(self, context: Mapping[str, Any]) -> Any: ...
    def uses(self, name: str) -> bool: ...


class Session(ABC):
    """A connection that is kept for many messages."""

    @abstractmethod
    def send(self, message: Outgoing, *, intent: Callable[[], None]) -> Answer:
        """Hands one message over. Calls `intent` just before the step after which it may be taken; when that
        raises, the message was certainly not taken. Raises ChannelError when there is no connection."""

    @abstractmethod
    def check(self) -> None:
        """Called before each chunk: drops a connection that the other side closed in the pause."""

    @abstractmethod
    def close(self) -> None: ...


class Channel(ABC):
    name: ClassVar[str]
    address_column: ClassVar[str]  # of customers.Customer
    address_pattern: ClassVar[str]  # a regular expression that PostgreSQL and Python read alike

    def is_address(self, address: str) -> bool:
        return len(address) <= 254 and re.search(self.address_pattern, address) is not None

    @abstractmethod
    def compile(self, content: Mapping[str, str]) -> Template:
        """From one variant's content as frozen at launch. Raises content.errors.TemplateError."""

    @abstractmethod
    def finish(self, rendered: Any, *, track: Callable[[str], str], pixel_url: str, keep: str) -> Any:
        """The rendered message with its links tracked; `keep` is the one address left as it is."""

    @abstractmethod
    def compose(self, rendered: Any, recipient: Recipient, *, sheet: "Sheet", session: "Session") -> Outgoing:
        """Raises ValueError when this customer's data cannot make a message, for example a broken address,
        and ChannelError when the session had to be opened for it and could not."""

    @abstractmethod
    def session(self) -> Session: ...
