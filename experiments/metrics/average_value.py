"""The average value of an event, for example the value of an order: money divided by a number of events."""

from experiments.metrics._kind import gettext_noop
from experiments.metrics.ratio import PerEvent


class AverageValue(PerEvent):
    name = "average_value"
    label = gettext_noop("Money for each of those (a ratio)")
    reduction = "sum"
