"""The share of customers who did it at least once."""

from experiments.metrics._kind import Group, MetricKind, gettext_noop
from experiments.stats import Adjusted, Proportion


class Conversion(MetricKind):
    name = "conversion"
    label = gettext_noop("Share of customers who did it")
    reduction = "any"
    allows = frozenset({"from_day", "covariate_days"})

    def statistic(self, group: Group) -> Proportion:
        return Proportion(n=group.n, successes=int(group.sums.total))

    def adjusted(self, group: Group) -> Adjusted:
        before = Proportion(n=group.n, successes=int(group.sums.before))
        return Adjusted(self.statistic(group), before, group.sums.before_products)
