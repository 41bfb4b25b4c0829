"""Totals of customers: exact in their packs, told in exports, gone with an erasure."""

from datetime import timedelta

import numpy as np
import pytest

from experiments.models import Metric, SourceTotals, TotalsPack
from experiments.personal_store import CustomerTotals
from experiments.sums.columns import columns_of
from experiments.sums.metric_sums import load_assigned
from experiments.sums.moments import compute_sums, load_sums
from experiments.sums.questions import Calendar, Question, View
from experiments.sums.totals import begin_totals, find_totals
from personalization.customers.models import Customer
from personalization.privacy.erasure import erase
from personalization.privacy.person import describe

DAY = timedelta(days=1)


@pytest.fixture
def questions(make_experiment, start):
    experiment = make_experiment()
    calendar = Calendar(start, start, start + DAY)
    fields = {"event": "Order Completed", "window_days": 9}
    kinds = ("count", "conversion", "revenue")
    found = [Metric.objects.create(key=kind, name=kind, kind=kind, **fields) for kind in kinds]
    return [Question(experiment, metric, calendar) for metric in found]


@pytest.mark.parametrize("most", [1, 127, 128, 40_000, 2**31, 2**62])
def test_numbers_of_any_size_come_back(questions, start, most):
    totals = begin_totals(questions, View(start, start))
    columns = columns_of(questions)
    ids = np.array([3, 4095, 4096, 9000])
    numbers = {column: np.array([0, most, -most, row]) for row, column in enumerate(columns)}
    totals.put(ids, numbers, (0, 1, 2))
    totals.put(ids[3:], {column: np.array([5]) for column in columns}, (2,))
    found = find_totals(questions).of(np.array([3, 4, 4095, 4096, 9000]), columns, (0, 1, 2))
    for column in columns:
        assert found[column].tolist() == [0, 0, most, -most, 5]


def test_columns_that_are_alike_are_stored_once(questions, start):
    totals = begin_totals(questions, View(start, start))
    columns = columns_of(questions)
    totals.put(np.array([1, 2]), {column: np.array([7, 8]) for column in columns}, (0,))
    [pack] = TotalsPack.objects.all()
    assert [len(stored) for stored in pack.numbers] == [2, 0]
    assert all(row.tolist() == [8] for row in totals.of(np.array([2]), columns, (0,)).values())


def test_other_columns_are_no_totals(questions, start):
    begin_totals(questions, View(start, start))
    assert find_totals(questions) is not None
    assert find_totals(questions[:2]) is None


def test_who_is_erased_leaves_the_totals_and_the_sums_stay(
    make_experiment, make_customers, place, happen, start
):
    metric = Metric.objects.create(key="revenue", name="r", kind="revenue", event="Order Completed")
    experiment, customers = make_experiment(), make_customers(4)
    place(experiment, "control", customers[:2])
    place(experiment, "a", customers[2:])
    for customer in customers[2:]:
        happen(customer, value="12.50", days=0.5, at_once=True)

    def total(days):
        assigned = load_assigned(experiment, as_of=start + days * DAY)
        found = [load(experiment, [metric], assigned)[0] for load in (load_sums, compute_sums)]
        assert found[0].by_day == found[1].by_day
        return found[0].sums(experiment.variants.get(key="a").pk).total

    assert total(2) == 25
    gone = customers[2]
    [told] = CustomerTotals().export(describe(gone))
    assert (told["experiment"], told["event"], told["value all 0 14"]) == ("Spring", "Order Completed", 1250)
    assert CustomerTotals().export(describe(customers[0])) == []

    assert erase(gone.pk).elsewhere["totals of experiments"] == 1
    assert not SourceTotals.objects.exists()
    assert not Customer.objects.filter(pk=gone.pk).exists()
    assert total(2.1) == 12.5
    happen(customers[3], value="1.00", days=2.5, at_once=True)
    assert total(4) == 13.5
