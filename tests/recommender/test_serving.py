"""Champions of every kind in front of customers: ratings, content, files that cannot be read, many pieces."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from structlog.testing import capture_logs

from personalization.catalog.models import Item
from personalization.customers.models import Customer
from personalization.events.services import NewEvent, record_events
from recommender import selectors, services, serving
from recommender.algorithms import MissingExtraError
from recommender.inputs.moment import Moment
from recommender.models import ModelRun
from recommender.ranking import lists
from recommender.ranking.rules import Rules

pytestmark = pytest.mark.django_db
DAY = datetime(2026, 1, 5, tzinfo=UTC)


def served_by(algorithm, **parameters):
    run = services.train(algorithm=algorithm, parameters=parameters)
    services.run_training(run.pk)
    run.refresh_from_db()
    assert not run.error
    services.promote(run, actor="user:anna", reason="test")
    return run


@pytest.fixture
def raters(db):
    """Everybody rated ten of thirty items: those of their own taste 5, the others 1. Nobody bought any."""
    customers = Customer.objects.bulk_create(
        [Customer(external_id=f"r{n}", created_at=DAY) for n in range(80)]
    )
    items = Item.objects.bulk_create([Item(external_id=f"m{n}", name=f"Film {n}") for n in range(30)])
    random = np.random.default_rng(8)
    record_events(
        [
            NewEvent(
                customer.pk, f"{n}-{at}", "Product Rated", DAY + timedelta(minutes=place),
                item_id=items[at].pk, properties={"rating": 5 if at % 2 == n % 2 else 1},
            )
            for n, customer in enumerate(customers)
            for place, at in enumerate(random.permutation(30)[:10].tolist())
        ]
    )  # fmt: skip
    return customers, items


@pytest.mark.parametrize(
    ("algorithm", "parameters"), [("item_knn", {"similarity": "pearson_baseline"}), ("svd", {"factors": 4})]
)
def test_a_champion_of_ratings_is_asked_with_ratings(raters, algorithm, parameters):
    customers, items = raters
    served_by(algorithm, **parameters)
    lists_of = selectors.recommend([customer.pk for customer in customers], k=3)
    place = {item.pk: at for at, item in enumerate(items)}
    right = [place[one.item_id] % 2 == n % 2 for n, c in enumerate(customers) for one in lists_of[c.pk]]
    assert np.mean(right) > 0.95
    rated = {c.pk: set(c.events.values_list("item_id", flat=True)) for c in customers}
    assert not any(one.item_id in rated[customer] for customer, found in lists_of.items() for one in found)
    new = Customer.objects.create(external_id="new", created_at=DAY)
    liked = [
        NewEvent(new.pk, f"n{at}", "Product Rated", DAY, item_id=items[at].pk, properties={"rating": rating})
        for at, rating in ((0, 1), (1, 5), (2, 1), (3, 5))
    ]
    record_events(liked)
    assert {place[one.item_id] % 2 for one in selectors.recommend([new.pk], k=3)[new.pk]} == {1}


def test_an_item_without_history_comes_in_by_content(shop):
    customers, items = shop
    for at, item in enumerate(items):
        item.description = "green tea leaves" if at % 2 == 0 else "wool socks warm"
    Item.objects.bulk_update(items, ["description"])
    tea = Item.objects.create(external_id="t", name="Fresh", description="green tea leaves")
    socks = Item.objects.create(external_id="s", name="Fresh", description="wool socks warm")
    served_by("tfidf")
    found = selectors.recommend([customers[0].pk, customers[1].pk], k=11)
    shown = [{one.item_id: one.reason_kind for one in found[customers[n].pk]} for n in (0, 1)]
    assert tea.pk in shown[0] and socks.pk not in shown[0] and shown[0][tea.pk] == "because"
    assert socks.pk in shown[1] and tea.pk not in shown[1]


def test_a_champion_that_needs_what_is_not_installed_is_survived_and_said(shop, monkeypatch):
    customers, _ = shop
    run = served_by("ease")

    def load(*args):
        raise MissingExtraError("this model needs")

    monkeypatch.setattr("recommender.serving._load", load)
    with capture_logs() as logs:
        found = selectors.recommend([customers[0].pk], k=6)[customers[0].pk]
    assert len(found) == 6 and {one.reason_kind for one in found} == {"popular"}
    assert [(entry["event"], entry["run"]) for entry in logs] == [("champion_unreadable", run.pk)]


def test_a_model_of_a_moment_ago_is_served_only_to_those_who_may_take_it(shop):
    first, second = served_by("ease"), served_by("als", factors=4)
    assert not ModelRun.objects.get(pk=first.pk).is_champion
    ModelRun.objects.update(is_champion=False)
    serving.forget()
    assert serving.serve_champion(max_age=3600) is None
    ModelRun.objects.filter(pk=second.pk).update(is_champion=True)
    assert serving.serve_champion(max_age=3600) is None
    now = serving.serve_champion()
    assert now is not None and serving.serve_champion(max_age=3600) is now


def test_many_pieces_on_every_core_are_the_same_as_one(shop, monkeypatch):
    _, items = shop
    served_by("als", factors=4)
    Customer.objects.create(external_id="cold", created_at=DAY)
    everyone = list(Customer.objects.order_by("-pk").values_list("pk", flat=True))
    asked = {
        "k": 5, "rules": Rules(diversity=0.8), "context": Moment(cart=(items[4].pk,)),
        "left_out": {everyone[3]: [items[0].pk, items[1].pk]},
    }  # fmt: skip
    whole = list(selectors.recommend_lists(everyone, **asked))
    monkeypatch.setattr(lists, "CUSTOMERS_PER_PIECE", 7)
    pieces = list(selectors.recommend_lists(everyone, **asked))
    assert [len(piece) for piece in pieces] == [7] * 17 + [2]
    assert len(whole) == 1 and [c for piece in pieces for c in piece] == everyone
    together = {customer: found for piece in pieces for customer, found in piece.items()}
    for customer, found in whole[0].items():
        assert [one.item_id for one in found] == [one.item_id for one in together[customer]]
        assert [one[2:] for one in found] == [one[2:] for one in together[customer]]
