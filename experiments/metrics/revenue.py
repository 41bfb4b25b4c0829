"""The value of what customers did, on average per customer, with those who bought nothing."""

from decimal import Decimal

from experiments.metrics._kind import MetricKind
from experiments.stats import Mean


class Revenue(MetricKind):
    name = "revenue"
    reduction = "sum"

    def statistic(self, *, n: int, total: Decimal, total_squares: Decimal) -> Mean:
        return Mean(n=n, sum=total, sum_squares=total_squares)
