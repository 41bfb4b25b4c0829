"""The share of customers who did it at least once."""

from decimal import Decimal

from experiments.metrics._kind import MetricKind
from experiments.stats import Proportion


class Conversion(MetricKind):
    name = "conversion"
    reduction = "any"

    def statistic(self, *, n: int, total: Decimal, total_squares: Decimal) -> Proportion:
        return Proportion(n=n, successes=int(total))
