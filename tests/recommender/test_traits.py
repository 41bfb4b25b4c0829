"""Customers without a history of their own: what those who share their traits like."""

import math
from datetime import UTC, datetime

import numpy as np
import pytest

from personalization.catalog.models import Item
from personalization.customers.models import Customer
from personalization.events.services import NewEvent, record_events
from recommender import selectors, services
from recommender.inputs.interactions import load_events
from recommender.inputs.moment import Moment
from recommender.ranking.rules import Rules
from recommender.traits import LEAST_CUSTOMERS, PRIOR_WEIGHT, PopularByTrait, popular_by_trait

DAY = datetime(2026, 2, 1, tzinfo=UTC)


@pytest.fixture
def town(db):
    """Women buy the first ten items, men the last ten; item 9 and 19 most. A third lives in Oslo."""
    items = Item.objects.bulk_create([Item(external_id=f"i{n}", name=f"Item {n}") for n in range(20)])
    customers = Customer.objects.bulk_create(
        [
            Customer(
                external_id=f"c{n}", created_at=DAY, city="Rome" if n % 3 else "Oslo", country="IT",
                traits={"gender": "female" if n % 2 else "male", "shoe": n, "is_member": n % 4 < 2},
            )
            for n in range(120)
        ]
    )  # fmt: skip
    random = np.random.default_rng(1)
    record_events(
        [
            NewEvent(customer.pk, f"{n}-{at}", "Order Line", DAY, item_id=items[at + (0 if n % 2 else 10)].pk)
            for n, customer in enumerate(customers)
            for at in {9, *random.choice(9, 3, replace=False).tolist()}
        ]
    )
    return customers, items


def served_by(algorithm):
    run = services.train(algorithm=algorithm)
    services.run_training(run.pk)
    run.refresh_from_db()
    services.promote(run, actor="user:anna", reason="test")
    return run


def newcomer(**traits):
    return Customer.objects.create(external_id=f"new {sorted(traits)}", created_at=DAY, **traits).pk


@pytest.mark.django_db
@pytest.mark.parametrize("algorithm", ["ease", "popular"])
def test_a_newcomer_gets_what_those_like_her_like_and_the_reason_says_so(town, algorithm):
    _, items = town
    served_by(algorithm)
    her = newcomer(city="Rome", traits={"gender": "female"})
    found = selectors.recommend([her], k=5)[her]
    assert found[0].item_id == items[9].pk
    assert {one.item_id for one in found} <= {item.pk for item in items[:10]}
    assert {one.reason_kind for one in found} == {"similar_customers"}
    whole = selectors.recommend([her], k=30, rules=Rules(not_items=(items[9].pk,)))[her]
    assert {one.item_id for one in whole} == {item.pk for item in items} - {items[9].pk}


@pytest.mark.django_db
def test_who_shares_nothing_with_many_gets_what_is_popular_and_a_place_is_a_trait(town):
    served_by("ease")
    stranger = newcomer(city="Nome", traits={"gender": "other", "shoe": 7})
    assert {one.reason_kind for one in selectors.recommend([stranger], k=5)[stranger]} == {"popular"}
    visitor = selectors.recommend_popular(k=5, context=Moment(place="oslo"))
    assert {one.reason_kind for one in visitor} == {"similar_customers"}
    both = selectors.recommend([stranger, newcomer(traits={"gender": "male"}, country="IT")], k=3)
    assert [{one.reason_kind for one in found} for found in both.values()] == [
        {"popular"}, {"similar_customers"}
    ]  # fmt: skip


@pytest.mark.django_db
def test_only_values_that_many_share_are_counted_with_their_sums(town):
    _, items = town
    found = popular_by_trait(load_events())
    shared = {(entry["trait"], entry["value"]): entry for entry in found}
    assert ("gender", "female") in shared and ("is_member", "true") in shared and ("country", "IT") in shared
    assert not [name for name, _ in shared if name == "shoe"]
    assert LEAST_CUSTOMERS <= 40  # as many live in Oslo
    women = shared["gender", "female"]
    assert women["weight"] == pytest.approx(60 * 4)
    assert dict(zip(women["items"], women["weights"], strict=True))[items[9].pk] == pytest.approx(60)
    assert found[-1]["trait"] == "" and found[-1]["weight"] == pytest.approx(120 * 4)


def test_the_score_is_naive_bayes_by_hand():
    entries = [
        {"trait": "city", "value": "Rome", "weight": 300.0, "items": [1, 2], "weights": [200.0, 100.0]},
        {"trait": "", "value": "", "weight": 1000.0, "items": [1, 2], "weights": [400.0, 600.0]},
    ]
    found = PopularByTrait.of(entries)
    assert found.item_ids.tolist() == [1, 2]
    assert found.base.tolist() == pytest.approx([math.log(0.4), math.log(0.6)])
    total = 300 + PRIOR_WEIGHT
    shares = (200 + PRIOR_WEIGHT * 0.4) / total, (100 + PRIOR_WEIGHT * 0.6) / total
    gains = [math.log(shares[0] / 0.4), math.log(shares[1] / 0.6)]
    assert found.gains[0].tolist() == pytest.approx(gains, abs=1e-6)
    assert PopularByTrait.of(entries[1:]) is None and PopularByTrait.of([]) is None
