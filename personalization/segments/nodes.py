"""A parsed segment definition: frozen values, no Django, nothing unchecked. Made by `definition.parse`."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

Scalar = str | bool | Decimal
Value = Scalar | datetime | tuple[Scalar, ...] | tuple[datetime, ...] | None


@dataclass(frozen=True)
class All:
    """Everyone who matches each of the nodes; without nodes, everyone."""

    nodes: tuple["Node", ...]


@dataclass(frozen=True)
class Any:
    nodes: tuple["Node", ...]


@dataclass(frozen=True)
class Not:
    node: "Node"


@dataclass(frozen=True)
class Test:
    """One operator of the table with its checked value."""

    op: str
    value: Value


@dataclass(frozen=True)
class Trait:
    name: str
    test: Test


@dataclass(frozen=True)
class Window:
    """[starts, ends): each bound is a time, or a number of days before now; None leaves it open (at now)."""

    starts: datetime | Decimal | None = None
    ends: datetime | Decimal | None = None


@dataclass(frozen=True)
class Filter:
    """A test on the event itself. `place` is property, context, item or field."""

    place: str
    name: str
    test: Test


@dataclass(frozen=True)
class Source:
    """What is added up or told apart: `kind` is value, item, day or property (then with a name)."""

    kind: str
    name: str = ""


@dataclass(frozen=True)
class Aggregate:
    """One number or time per customer, from the events with one of these names."""

    events: tuple[str, ...]
    op: str
    of: Source
    per: Source | None
    window: Window
    where: tuple[Filter, ...]


@dataclass(frozen=True)
class EventCondition:
    aggregate: Aggregate
    test: Test


@dataclass(frozen=True)
class Ratio:
    """`of` divided by `to`, compared; false where either cannot be computed or `to` is not positive."""

    of: Aggregate
    to: Aggregate
    test: Test


@dataclass(frozen=True)
class Step:
    """One event of a sequence."""

    events: tuple[str, ...]
    where: tuple[Filter, ...]


@dataclass(frozen=True)
class Sequence:
    """Each step strictly later than the one before and within so many days of it; the first lies in `window`.

    Not `followed`: somebody did all steps but the last, and for one such time the last did not come in time.
    What may still come is not counted yet.
    """

    steps: tuple[Step, ...]
    within_days: Decimal
    window: Window
    followed: bool


@dataclass(frozen=True)
class ConsentCondition:
    channel: str
    topic: str
    granted: bool


@dataclass(frozen=True)
class Member:
    segment_id: int


Node = All | Any | Not | Trait | EventCondition | Ratio | Sequence | ConsentCondition | Member
