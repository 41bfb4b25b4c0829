"""The caught messages: the newest ones in memory, all of them counted."""

import email
import email.policy
import threading
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from functools import cached_property
from typing import cast

KEPT_MESSAGES = 10_000
KEPT_BYTES = 128 * 2**20


@dataclass(frozen=True)
class CaughtMessage:
    number: int
    """1 for the first message accepted since the start."""
    sender: str
    recipients: tuple[str, ...]
    raw: bytes
    received_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @cached_property
    def parsed(self) -> EmailMessage:
        return cast(EmailMessage, email.message_from_bytes(self.raw, policy=email.policy.default))

    def header(self, name: str) -> str:
        """Empty when the header is missing or cannot be read."""
        try:
            return str(self.parsed.get(name, ""))
        except (ValueError, IndexError, AttributeError, LookupError):
            return ""

    def body(self, kind: str) -> str | None:
        """The `html` or `plain` part; None when the message has none."""
        try:
            part = self.parsed.get_body((kind,))
            return None if part is None else str(part.get_content())
        except (KeyError, LookupError, ValueError, AttributeError):
            return None


class Store:
    """Safe for one writer and many readers in threads."""

    def __init__(self, *, kept_messages: int = KEPT_MESSAGES, kept_bytes: int = KEPT_BYTES) -> None:
        self._messages: deque[CaughtMessage] = deque()
        self._lock = threading.Lock()
        self._bytes = 0
        self._kept_messages = kept_messages
        self._kept_bytes = kept_bytes
        self.accepted = 0

    def add(self, sender: str, recipients: list[str], raw: bytes) -> int:
        """Keeps the message and answers its number; forgets the oldest beyond the limits."""
        with self._lock:
            self.accepted += 1
            self._messages.append(CaughtMessage(self.accepted, sender, tuple(recipients), raw))
            self._bytes += len(raw)
            while len(self._messages) > self._kept_messages or (
                self._bytes > self._kept_bytes and len(self._messages) > 1
            ):
                self._bytes -= len(self._messages.popleft().raw)
            return self.accepted

    def get(self, number: int) -> CaughtMessage | None:
        with self._lock:
            if not self._messages:
                return None
            place = number - self._messages[0].number
            return self._messages[place] if 0 <= place < len(self._messages) else None

    def after(self, number: int, *, limit: int) -> list[CaughtMessage]:
        """The oldest first, from the one after `number` on."""
        with self._lock:
            first = self._messages[0].number if self._messages else 1
            start = max(0, number + 1 - first)
            return [self._messages[place] for place in range(start, min(start + limit, len(self._messages)))]

    def newest(self, *, recipient: str = "", limit: int = 100) -> list[CaughtMessage]:
        """The newest first; only those with `recipient` in one of their addresses."""
        wanted = recipient.strip().lower()
        with self._lock:
            snapshot = list(self._messages)
        found: list[CaughtMessage] = []
        for message in reversed(snapshot):
            if len(found) == limit:
                break
            if not wanted or any(wanted in address.lower() for address in message.recipients):
                found.append(message)
        return found

    @property
    def kept(self) -> int:
        with self._lock:
            return len(self._messages)
