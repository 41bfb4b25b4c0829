from collections import Counter
from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest

from experiments.errors import NotPossible
from experiments.models import Assignment, Metric
from experiments.personalizing import assign_personalized
from experiments.services import VariantSpec
from personalization.customers.models import Customer
from personalization.events.services import NewEvent, record_events

VARIANTS = [VariantSpec("a", "A", 0.5), VariantSpec("b", "B", 0.5)]


@pytest.fixture
def learned(make_experiment, place, start):
    """Of 400 earlier customers those who like tea spend more after A, the others after B."""
    metric = Metric.objects.create(
        key="spend", name="Spend", kind="revenue", event="Order Completed", window_days=7
    )
    customers = Customer.objects.bulk_create(
        Customer(external_id=f"old-{i}", traits={"tea": i % 4 < 2}, created_at=start) for i in range(400)
    )
    earlier = make_experiment(key="earlier", variants=VARIANTS)
    place(earlier, "a", customers[::2])
    place(earlier, "b", customers[1::2])
    rng = np.random.default_rng(0)
    record_events(
        [
            NewEvent(
                customer_id=customer.pk, message_id=f"m{i}", name="Order Completed",
                occurred_at=start + timedelta(days=1), properties={},
                value=Decimal(f"{20 + 5 * (customer.traits['tea'] == (i % 2 == 0)) + rng.normal():.2f}"),
            )
            for i, customer in enumerate(customers)
        ]
    )  # fmt: skip
    return earlier, metric


@pytest.fixture
def newcomers(learned, start):
    return Customer.objects.bulk_create(
        Customer(external_id=f"new-{i}", traits={"tea": i % 2 == 0}, created_at=start) for i in range(300)
    )


def test_each_gets_the_variant_that_suits_with_its_stored_chance(make_experiment, learned, newcomers, start):
    earlier, metric = learned
    now = start + timedelta(days=20)
    experiment = make_experiment(key="now", variants=VARIANTS)
    ids = [customer.pk for customer in newcomers]
    answer = assign_personalized(experiment, ids, learn_from=earlier, metric=metric, at=now, floor=0.1)
    keys = dict(experiment.variants.values_list("pk", "key"))
    tea = Counter(keys[answer[customer.pk][0]] for customer in newcomers if customer.traits["tea"])
    other = Counter(keys[answer[customer.pk][0]] for customer in newcomers if not customer.traits["tea"])
    assert tea["a"] > 120
    assert other["b"] > 120
    assert tea["b"] > 0
    assert other["a"] > 0
    stored = {
        a.customer_id: (a.variant_id, a.propensity) for a in Assignment.objects.filter(experiment=experiment)
    }
    assert stored == answer
    assert {round(chance, 3) for _, chance in answer.values()} == {0.1, 0.9}


def test_a_second_call_moves_nobody(make_experiment, learned, newcomers, start):
    earlier, metric = learned
    experiment = make_experiment(key="now", variants=VARIANTS)
    ids = [customer.pk for customer in newcomers]
    asked = {"learn_from": earlier, "metric": metric, "at": start + timedelta(days=20)}
    first = assign_personalized(experiment, ids[:100], **asked, floor=0.5)
    again = assign_personalized(experiment, ids, **asked, floor=0.0)
    assert {pk: again[pk] for pk in ids[:100]} == first


def test_without_closed_windows_nothing_is_learned(make_experiment, learned, newcomers, start):
    earlier, metric = learned
    experiment = make_experiment(key="now", variants=VARIANTS)
    with pytest.raises(NotPossible, match="window"):
        assign_personalized(experiment, [1], learn_from=earlier, metric=metric, at=start + timedelta(days=3))
