"""What every kind of entry can do: check its settings and find whom it lets in."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar

from campaigns.journeys.nodes._base import Field, Wrong
from campaigns.models import Journey

# A message may be written down after one that was received later.
OVERLAP = timedelta(minutes=5)
# When an event is heard of; to a rehearsal, which goes through the past, it came in when it happened.
HEARD, HAPPENED = "received_at", "occurred_at"


@dataclass(frozen=True)
class Entrant:
    """`key` names what lets the customer in, once for ever; `at`: when it happened."""

    customer_id: int
    key: str
    at: datetime
    entry: Mapping[str, Any] = field(default_factory=dict)


class Entry(ABC):
    name: ClassVar[str]
    label: ClassVar[Any]
    fields: ClassVar[tuple[Field, ...]] = ()
    # How often it is looked for newcomers, and how often in a rehearsal, whose days pass in minutes.
    every: ClassVar[timedelta] = timedelta(0)
    every_rehearsed: ClassVar[timedelta] = timedelta(hours=1)

    @abstractmethod
    def check(self, params: Mapping[str, Any]) -> Iterator[Wrong]:
        """What is wrong with the settings."""

    @abstractmethod
    def describe(self, params: Mapping[str, Any]) -> str:
        """The settings in a few words, for the picture."""

    def open(self, journey: Journey, params: Mapping[str, Any], *, now: datetime) -> None:
        """When the journey opens for the first time: remembers what is so already."""
        return

    @abstractmethod
    def find(
        self, journey: Journey, params: Mapping[str, Any], *, since: datetime, now: datetime, by: str
    ) -> Iterable[Entrant]:
        """Whom something lets in that came in after `since`, up to `now`; of events `by` that time of theirs
        (HEARD or HAPPENED). Twice does no harm."""
