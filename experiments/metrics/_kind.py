"""What a kind of metric must say."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import ClassVar, Literal

from experiments.stats import Adjusted, Statistic

Reduction = Literal["any", "count", "sum"]
# What a metric of the kind must state beside event and window, and what it may.
Setting = Literal["denominator_event", "quantile", "from_day", "cap", "covariate_days"]


def gettext_noop(text: str) -> str:
    """Marks a text for the translators; it is translated where it is shown."""
    return text


@dataclass(frozen=True)
class Sums:
    """Over the customers of a variant, with y a customer's number, w the divisor, x and v the same before.

    Σy, Σy², Σw, Σw², Σyw, Σx, Σx², Σxy, then for ratios that look back Σv, Σv², Σxv, Σyv, Σwx, Σwv. They add
    up over days, because each day holds the change of each sum.
    """

    total: Decimal = Decimal(0)
    squares: Decimal = Decimal(0)
    weight: Decimal = Decimal(0)
    weight_squares: Decimal = Decimal(0)
    products: Decimal = Decimal(0)
    before: Decimal = Decimal(0)
    before_squares: Decimal = Decimal(0)
    before_products: Decimal = Decimal(0)
    before_weight: Decimal = Decimal(0)
    before_weight_squares: Decimal = Decimal(0)
    before_pairs: Decimal = Decimal(0)
    total_before_weight: Decimal = Decimal(0)
    weight_before: Decimal = Decimal(0)
    weight_before_weight: Decimal = Decimal(0)

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(*(getattr(self, f) + getattr(other, f) for f in NAMES))

    def __sub__(self, other: "Sums") -> "Sums":
        return Sums(*(getattr(self, f) - getattr(other, f) for f in NAMES))


NAMES = tuple(field.name for field in fields(Sums))


@dataclass(frozen=True)
class Group:
    """What is known of the n customers of a variant, those without events included.

    `cap` was applied before summing. `counts` says how many customers have each number, ascending; only for
    kinds that need the quantile `level`.
    """

    n: int
    sums: Sums = Sums()
    cap: Decimal | None = None
    level: float | None = None
    counts: tuple[tuple[Decimal, int], ...] = ()


class MetricKind(ABC):
    """To add a kind, put one module with one subclass into this package.

    `reduction` says how the events of one customer become one number: "any" is 1 if there was one, "count"
    how many there were, "sum" the sum of their values. A customer without events counts as 0.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    reduction: ClassVar[Reduction]
    needs: ClassVar[frozenset[Setting]] = frozenset()
    allows: ClassVar[frozenset[Setting]] = frozenset()

    @abstractmethod
    def statistic(self, group: Group) -> Statistic: ...

    def adjusted(self, group: Group) -> Adjusted | None:
        """With the same question before assignment; None when the kind cannot be asked of the past."""
        return None
