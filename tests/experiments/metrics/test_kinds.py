"""The promise of every kind of metric, run over all that are registered."""

from collections import Counter
from decimal import Decimal

import pytest

from experiments import metrics
from experiments.metrics import NAMES, Group, Sums
from experiments.stats import compare

REDUCE = {"any": lambda values: min(len(values), 1), "count": len, "sum": sum}
CUSTOMERS = [[], [], [Decimal("10.50"), Decimal("2.00")], [Decimal("4.25")]]
OTHERS = [[], [Decimal("1.00")], [Decimal("3.00"), Decimal("2.50")], [Decimal("9.75")]]


def group_of(kind, customers):
    """By hand; all happened once before as well, and the number of events divides."""
    total, numbers = Sums(), []
    for values in customers:
        y, w = Decimal(REDUCE[kind.reduction](values)), Decimal(len(values))
        terms = (y, y * y, w, w * w, y * w, y, y * y, y * y, w, w * w, y * w, y * w, y * w, w * w)
        total += Sums(**dict(zip(NAMES, terms, strict=True)))
        numbers.append(y)
    level = 0.5 if "quantile" in kind.needs else None
    return Group(len(customers), total, level=level, counts=tuple(sorted(Counter(numbers).items())))


def test_all_kinds_are_there():
    assert set(metrics.names()) == {
        "average_value", "conversion", "count", "quantile", "ratio", "retention", "revenue",
    }  # fmt: skip


def test_an_unknown_kind_is_refused():
    with pytest.raises(KeyError):
        metrics.get("median")


@pytest.mark.parametrize("name", metrics.names())
def test_every_kind_says_what_it_is(name):
    kind = metrics.get(name)
    assert kind.label
    assert not kind.needs & kind.allows
    adjusted = kind.adjusted(group_of(kind, CUSTOMERS))
    assert ("covariate_days" in kind.allows) == (adjusted is not None)
    if adjusted is not None:
        assert adjusted.post == adjusted.pre == kind.statistic(group_of(kind, CUSTOMERS))


@pytest.mark.parametrize("name", metrics.names())
def test_every_kind_builds_a_statistic_of_all_customers(name):
    kind = metrics.get(name)
    group = group_of(kind, CUSTOMERS)
    found = kind.statistic(group)
    assert found.n == 4
    divisor = group.sums.weight if "denominator_event" in kind.needs else 4
    expected = 0 if "quantile" in kind.needs else float(group.sums.total / divisor)
    assert found.value == pytest.approx(expected)
    assert found + found == kind.statistic(group_of(kind, CUSTOMERS + CUSTOMERS))


@pytest.mark.parametrize("name", metrics.names())
def test_every_kind_can_be_compared(name):
    kind = metrics.get(name)
    groups = [kind.statistic(group_of(kind, customers * 9)) for customers in (CUSTOMERS, OTHERS)]
    assert 0 <= compare(*groups).p_value <= 1
