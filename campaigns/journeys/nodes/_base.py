"""What every node can do: say its exits, check its settings, and decide about a batch of travelers."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from campaigns.journeys.graph import NodeSpec


@dataclass(frozen=True)
class Traveler:
    """A passage that is due at a node. `entry`: what let the customer in."""

    id: int
    customer_id: int
    time_zone: str
    entered_at: datetime
    arrived_at: datetime
    entry: Mapping[str, Any] = field(default_factory=dict)
    is_test: bool = False


@dataclass(frozen=True)
class Move:
    """On through this exit. `is_goal`: the journey's goal was reached here."""

    exit: str
    detail: str = ""
    is_goal: bool = False


@dataclass(frozen=True)
class Stay:
    until: datetime


@dataclass(frozen=True)
class Place:
    """Where the batch stands, and the time that it is taken to be. `is_test`: all of it are tests, for whom
    nothing outside the journey may change."""

    journey_id: int
    version_id: int
    node: NodeSpec
    now: datetime
    is_test: bool = False

    @property
    def params(self) -> Mapping[str, Any]:
        return self.node.params


@dataclass(frozen=True)
class Field:
    """A setting as the form shows it. `widget`: number, text, clock, event, segment, campaign, json, url."""

    name: str
    label: Any
    widget: str
    help: Any = ""
    default: Any = ""
    is_needed: bool = True


Wrong = tuple[str, Any]  # name of the setting, sentence


class Node(ABC):
    name: ClassVar[str]
    label: ClassVar[Any]
    icon: ClassVar[str]
    fields: ClassVar[tuple[Field, ...]] = ()

    def exits(self, params: Mapping[str, Any]) -> tuple[str, ...]:
        return ("done",)

    def exit_label(self, name: str, params: Mapping[str, Any]) -> Any:
        """What stands beside the way out; "" where there is only one."""
        return ""

    @abstractmethod
    def check(self, params: Mapping[str, Any]) -> Iterator[Wrong]:
        """What is wrong with the settings."""

    @abstractmethod
    def describe(self, params: Mapping[str, Any]) -> str:
        """The settings in a few words, for the picture."""

    @abstractmethod
    def decide(self, travelers: Sequence[Traveler], place: Place) -> dict[int, Move | Stay]:
        """For every traveler, by passage id. Runs inside the transaction that moves them: whatever it
        writes happens exactly once."""


def number(params: Mapping[str, Any], name: str, default: float = 0.0) -> float:
    value = params.get(name, default)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else default
