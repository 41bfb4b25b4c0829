"""How often customers did it, on average."""

from typing import ClassVar

from experiments.metrics._kind import Group, MetricKind, Reduction, gettext_noop
from experiments.stats import Adjusted, Mean


class Count(MetricKind):
    name = "count"
    label = gettext_noop("How often, on average per customer")
    reduction: ClassVar[Reduction] = "count"
    allows = frozenset({"from_day", "cap", "covariate_days"})

    def statistic(self, group: Group) -> Mean:
        return Mean(n=group.n, sum=group.sums.total, sum_squares=group.sums.squares, cap=group.cap)

    def adjusted(self, group: Group) -> Adjusted:
        before = Mean(n=group.n, sum=group.sums.before, sum_squares=group.sums.before_squares, cap=group.cap)
        return Adjusted(self.statistic(group), before, group.sums.before_products)
