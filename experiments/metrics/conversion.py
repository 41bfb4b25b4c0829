"""The share of customers who did it at least once."""

from experiments.metrics._kind import MetricKind, Sums, gettext_noop
from experiments.stats import Proportion


class Conversion(MetricKind):
    name = "conversion"
    label = gettext_noop("Share of customers who did it")
    reduction = "any"
    allows = frozenset({"from_day", "covariate_days"})

    def statistic(self, *, n: int, sums: Sums) -> Proportion:
        return Proportion(n=n, successes=int(sums.total))

    def covariate(self, *, n: int, sums: Sums) -> Proportion:
        return Proportion(n=n, successes=int(sums.before))
