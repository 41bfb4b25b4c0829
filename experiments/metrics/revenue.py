"""The value of what customers did, on average per customer, with those who bought nothing."""

from experiments.metrics._kind import gettext_noop
from experiments.metrics.count import Count


class Revenue(Count):
    name = "revenue"
    label = gettext_noop("Money, on average per customer")
    reduction = "sum"
