"""What every provider can do: tell what is wrong with a tag, and load what it asks for, for many at once."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from campaigns.items.memory import ItemMemory
from personalization.content.needs import Need


@dataclass(frozen=True)
class Asked:
    """One need of one message. `delivery_id` is 0 in a preview; `arguments` as this customer's; `values` is
    what the template sees before anything is loaded."""

    delivery_id: int
    customer_id: int
    variant: str
    profile: Mapping[str, Any]
    need: Need
    arguments: Mapping[str, Any]
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> tuple[int, str]:
        return self.delivery_id, self.need.key


@dataclass(frozen=True)
class Given:
    """`value` is what the template sees, or the RenderError to raise there; the ledger keeps `record`."""

    value: object
    record: Any = None


@dataclass(frozen=True)
class Scene:
    """`content` is the run's, as frozen. Not `is_real`: a rehearsal or preview, which takes nothing away.
    `shown`: items that stand in each message anyway; `pretended`: what a rehearsal has left of each pool."""

    run_id: int
    content: Mapping[str, Any]
    at: datetime
    is_real: bool = True
    shown: Mapping[int, frozenset[int]] = field(default_factory=dict)
    pretended: dict[str, int] = field(default_factory=dict)
    memory: ItemMemory = field(default_factory=ItemMemory)


class Provider(ABC):
    """One tag that asks for something: `name` is the need's kind."""

    name: ClassVar[str]

    @abstractmethod
    def problems(self, need: Need) -> Iterator[str]:
        """What is wrong with the tag whoever the customer is, for its author."""

    def warnings(self, need: Need) -> Iterator[str]:
        """What its author should know, though it works."""
        return iter(())

    @abstractmethod
    def load(self, asked: Sequence[Asked], scene: Scene) -> Mapping[tuple[int, str], Given]:
        """By `Asked.key`; a message that is not answered has no value there."""
