"""What every channel can do: know an address, compile, compose, and hand a message over."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Protocol

import msgspec

from campaigns.channels._languages import compile_texts_in, problems_in
from campaigns.transport.session import Outgoing, Session
from personalization.content.errors import Problem
from personalization.content.expanding import Blocks
from personalization.content.needs import Need
from personalization.customers.phones import normalize_phone


class Recipient(msgspec.Struct, frozen=True):
    """To whom, and the links that are this person's own."""

    address: str
    name: str
    message_id: str  # 32 hex digits, the same however often it is tried
    unsubscribe_url: str


@dataclass(frozen=True)
class Field:
    """One line of a form: what a message of a channel consists of, or what an account with a provider needs.

    `name` is a key of the message's content, or of the account's options or secrets.
    """

    name: str
    label: Any  # translated when it is shown
    help: Any = ""
    max_length: int = 500
    is_required: bool = False
    is_long: bool = False
    is_secret: bool = False
    default: str = ""


@dataclass(frozen=True)
class Sheet:
    """What all messages of one variant of a run share."""

    run_id: int
    campaign_id: int
    variant: str
    content: Mapping[str, Any]  # the run's, as frozen
    at: datetime


class Template(Protocol):
    """`needs`: what has to be loaded before it is rendered; `source`: the texts it was parsed from."""

    @property
    def needs(self) -> tuple[Need, ...]: ...
    @property
    def source(self) -> str: ...
    def render(self, context: Mapping[str, Any]) -> Any: ...
    def uses(self, name: str) -> bool: ...


class Channel(ABC):
    """One way to a customer. `fields`: what a message consists of, beside the body; `account_fields`: what an
    account with a provider needs."""

    name: ClassVar[str]
    address_column: ClassVar[str] = ""  # of customers.Customer; empty: the address stands elsewhere
    address_pattern: ClassVar[str] = "."  # a regular expression that PostgreSQL and Python read alike
    longest_address: ClassVar[int] = 254
    fields: ClassVar[tuple[Field, ...]] = ()
    account_fields: ClassVar[tuple[Field, ...]] = ()
    body_label: ClassVar[Any] = ""
    body_help: ClassVar[Any] = ""
    test_help: ClassVar[Any] = ""  # what staff write as the recipient of a test
    needs_account: ClassVar[bool] = True
    needs_sender_address: ClassVar[bool] = False
    tracks_opens: ClassVar[bool] = False
    tracks_clicks: ClassVar[bool] = True
    shortens_links: ClassVar[bool] = False  # each character of its texts counts

    @property
    def address_sql(self) -> str:
        """The address of customer `c`, empty or NULL for none; no user's text ever stands in it."""
        return f"c.{self.address_column}"

    def addresses(self, profiles: Mapping[int, Mapping[str, Any]]) -> dict[int, str]:
        """The present address of each customer who has one, as `compose` takes it."""
        found = {pk: str(row.get(self.address_column) or "").strip() for pk, row in profiles.items()}
        return {pk: address for pk, address in found.items() if address}

    def is_address(self, address: str) -> bool:
        return len(address) <= self.longest_address and re.search(self.address_pattern, address) is not None

    def test_address(self, to: str) -> str:
        """Where a test goes for what staff wrote; empty when that is no address of this channel."""
        found = normalize_phone(to) if self.address_column == "phone" else to
        return found if found and self.is_address(found) else ""

    @abstractmethod
    def as_test(self, rendered: Any) -> Any:
        """The rendered message as a test is handed over: nothing tracked, and marked as a test where the
        words are ours. Raises RenderError."""

    def compile(self, content: Mapping[str, Any]) -> Template:
        """From one variant's content as frozen at launch, in all its languages. Raises TemplateError."""
        compiled: Template = compile_texts_in(content, self.compile_text)
        return compiled

    def problems(self, content: Mapping[str, Any], context: Mapping[str, Any] | None = None) -> list[Problem]:
        """What to tell the author: errors, warnings and, with a customer's `context`, missing values."""
        return problems_in(content, context, self.problems_of_text)

    @abstractmethod
    def compile_text(self, content: Mapping[str, Any]) -> Template:
        """`compile` for content of one language. Raises TemplateError."""

    @abstractmethod
    def problems_of_text(
        self, content: Mapping[str, Any], context: Mapping[str, Any] | None = None
    ) -> list[Problem]:
        """`problems` for content of one language."""

    @abstractmethod
    def finish(
        self, rendered: Any, *, track: Callable[[str], str], pixel_url: str, keep: str, trap_url: str = ""
    ) -> Any:
        """The rendered message with its links tracked; `keep` is the one address left as it is, `trap_url`
        one that only machines follow."""

    @abstractmethod
    def preview(self, rendered: Any) -> dict[str, Any]:
        """What the editor shows of a rendered message: `html` or `card`, and facts about it."""

    def sample(self, source: str) -> str:
        """What its messages look like that are made from this template, as far as they are nobody's: their
        copies are squeezed against it."""
        return source

    @abstractmethod
    def compose(self, rendered: Any, recipient: Recipient, *, sheet: Sheet, session: Session) -> Outgoing:
        """Raises ValueError when this customer's data cannot make a message, for example a broken address,
        and ChannelError when the session had to be opened for it and could not."""

    @abstractmethod
    def session(self) -> Session: ...

    def check_account(self, values: Mapping[str, str]) -> list[tuple[str, str]]:
        """Field and sentence of everything wrong with an account's options and secrets together."""
        return []


def block_texts(content: Mapping[str, Any]) -> Blocks:
    """The texts of the blocks that the content was frozen with."""
    return {name: block["texts"] for name, block in (content.get("blocks") or {}).items()}
