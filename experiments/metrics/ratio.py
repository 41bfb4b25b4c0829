"""How many events of one sort for each event of another, for example clicks per opened message."""

from typing import ClassVar

from experiments.metrics._kind import Group, MetricKind, Reduction, gettext_noop
from experiments.stats import Adjusted, CrossProducts, Ratio


class PerEvent(MetricKind):
    name = "ratio"
    label = gettext_noop("How many of these for each of those (a ratio)")
    reduction: ClassVar[Reduction] = "count"
    needs = frozenset({"denominator_event"})
    allows = frozenset({"from_day", "cap", "covariate_days"})

    def statistic(self, group: Group) -> Ratio:
        sums = group.sums
        return Ratio(
            n=group.n,
            num_sum=sums.total,
            num_sum_squares=sums.squares,
            den_sum=sums.weight,
            den_sum_squares=sums.weight_squares,
            num_den_sum_products=sums.products,
            cap=group.cap,
        )

    def adjusted(self, group: Group) -> Adjusted:
        sums = group.sums
        before = Ratio(
            n=group.n,
            num_sum=sums.before,
            num_sum_squares=sums.before_squares,
            den_sum=sums.before_weight,
            den_sum_squares=sums.before_weight_squares,
            num_den_sum_products=sums.before_pairs,
            cap=group.cap,
        )
        cross = CrossProducts(
            num_num=sums.before_products,
            num_den=sums.total_before_weight,
            den_num=sums.weight_before,
            den_den=sums.weight_before_weight,
        )
        return Adjusted(self.statistic(group), before, cross)
