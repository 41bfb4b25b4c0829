"""The promise of every kind of metric, run over all that are registered."""

from decimal import Decimal

import pytest

from experiments import metrics
from experiments.metrics import NAMES, Sums

REDUCE = {"any": lambda values: min(len(values), 1), "count": len, "sum": sum}
CUSTOMERS = [[], [], [Decimal("10.50"), Decimal("2.00")], [Decimal("4.25")]]


def sums_of(kind, customers):
    """By hand; all happened once before as well, and the number of events divides."""
    total = Sums()
    for values in customers:
        y, w = Decimal(REDUCE[kind.reduction](values)), Decimal(len(values))
        terms = (y, y * y, w, w * w, y * w, y, y * y, y * y)
        total += Sums(**dict(zip(NAMES, terms, strict=True)))
    return total


def test_all_kinds_are_there():
    assert {"conversion", "count", "revenue", "retention"} <= set(metrics.names())


def test_an_unknown_kind_is_refused():
    with pytest.raises(KeyError):
        metrics.get("median")


@pytest.mark.parametrize("name", metrics.names())
def test_every_kind_says_what_it_is(name):
    kind = metrics.get(name)
    assert kind.label
    assert not kind.needs & kind.allows
    assert ("covariate_days" in kind.allows) == (
        kind.covariate(n=4, sums=sums_of(kind, CUSTOMERS)) is not None
    )


@pytest.mark.parametrize("name", metrics.names())
def test_every_kind_builds_a_statistic_of_all_customers(name):
    kind = metrics.get(name)
    sums = sums_of(kind, CUSTOMERS)
    found = kind.statistic(n=4, sums=sums)
    assert found.n == 4
    divisor = sums.weight if "denominator_event" in kind.needs else 4
    assert found.value == pytest.approx(float(sums.total / divisor))
    assert found + found == kind.statistic(n=8, sums=sums + sums)
