"""How often customers did it, on average."""

from experiments.metrics._kind import MetricKind, Sums, gettext_noop
from experiments.stats import Mean


class Count(MetricKind):
    name = "count"
    label = gettext_noop("How often, on average per customer")
    reduction = "count"
    allows = frozenset({"from_day", "cap", "covariate_days"})

    def statistic(self, *, n: int, sums: Sums) -> Mean:
        return Mean(n=n, sum=sums.total, sum_squares=sums.squares)

    def covariate(self, *, n: int, sums: Sums) -> Mean:
        return Mean(n=n, sum=sums.before, sum_squares=sums.before_squares)
