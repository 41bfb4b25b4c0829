"""The share of customers who came back: did it at least once from a later day on."""

from experiments.metrics._kind import gettext_noop
from experiments.metrics.conversion import Conversion


class Retention(Conversion):
    name = "retention"
    label = gettext_noop("Share of customers who came back between two days")
    needs = frozenset({"from_day"})
    allows = frozenset({"covariate_days"})
