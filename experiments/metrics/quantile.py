"""The amount that so many customers stay below: nine of ten, say. Customers without events count as 0."""

from experiments.metrics._kind import Group, MetricKind, gettext_noop
from experiments.stats import Quantile


class QuantileOfValues(MetricKind):
    name = "quantile"
    label = gettext_noop("Money that a given share of customers stay below (a quantile)")
    reduction = "sum"
    needs = frozenset({"quantile"})
    allows = frozenset({"from_day", "cap"})

    def statistic(self, group: Group) -> Quantile:
        assert group.level is not None
        return Quantile(level=group.level, counts=group.counts)
