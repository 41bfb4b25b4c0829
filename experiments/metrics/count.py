"""How often customers did it, on average."""

from decimal import Decimal

from experiments.metrics._kind import MetricKind
from experiments.stats import Mean


class Count(MetricKind):
    name = "count"
    reduction = "count"

    def statistic(self, *, n: int, total: Decimal, total_squares: Decimal) -> Mean:
        return Mean(n=n, sum=total, sum_squares=total_squares)
