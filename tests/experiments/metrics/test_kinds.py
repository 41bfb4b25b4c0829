"""The promise of every kind of metric, run over all that are registered."""

from decimal import Decimal

import pytest

from experiments import metrics
from experiments.stats import Mean, Proportion

REDUCE = {"any": lambda values: min(len(values), 1), "count": len, "sum": sum}
CUSTOMERS = [[], [], [Decimal("10.50"), Decimal("2.00")], [Decimal("4.25")]]


def test_the_first_kinds_are_there():
    assert {"conversion", "count", "revenue"} <= set(metrics.names())


def test_an_unknown_kind_is_refused():
    with pytest.raises(KeyError):
        metrics.get("median")


@pytest.mark.parametrize("name", metrics.names())
def test_every_kind_builds_a_statistic_of_all_customers(name):
    kind = metrics.get(name)
    numbers = [Decimal(REDUCE[kind.reduction](values)) for values in CUSTOMERS]
    found = kind.statistic(n=4, total=sum(numbers), total_squares=sum(number**2 for number in numbers))
    assert isinstance(found, Mean | Proportion)
    assert found.n == 4
    assert found.value == pytest.approx(float(sum(numbers) / 4))
    assert found + found == kind.statistic(
        n=8, total=2 * sum(numbers), total_squares=2 * sum(number**2 for number in numbers)
    )
