"""What a kind of metric must say."""

from abc import ABC, abstractmethod
from decimal import Decimal
from typing import ClassVar, Literal

from experiments.stats import Statistic

Reduction = Literal["any", "count", "sum"]


class MetricKind(ABC):
    """To add a kind, put one module with one subclass into this package.

    `reduction` says how the events of one customer become one number: "any" is 1 if there was one, "count"
    how many there were, "sum" the sum of their values. A customer without events counts as 0.
    """

    name: ClassVar[str]
    reduction: ClassVar[Reduction]

    @abstractmethod
    def statistic(self, *, n: int, total: Decimal, total_squares: Decimal) -> Statistic:
        """Of n customers, whose numbers add up to `total` and whose squared numbers to `total_squares`."""
