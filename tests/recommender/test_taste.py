"""Tastes by the factors of the model in use, in the shop where even customers like even items."""

import numpy as np
import pytest

from personalization.catalog.models import Item
from personalization.customers.models import Customer
from personalization.traits.models import TraitDefinition
from personalization.traits.refreshing import refresh
from personalization.traits.registry import kind_of
from personalization.traits.services import save_definition
from recommender import services
from recommender.algorithms import Interactions, get
from recommender.taste import tastes_of
from tests.recommender.conftest import START

NOW = START.replace(year=2027)


def test_a_taste_is_a_standard_deviation_above_others_and_the_highest_comes_first():
    usual = {"Tea": (0.2, 0.1), "Mugs": (0.5, 0.2), "Cake": (0.1, 0.1), "Same": (0.4, 0.0)}
    # (.35 − .2) / .1 = 1.5; (.9 − .5) / .2 = 2; (.15 − .1) / .1 = .5; nobody differs in Same.
    affinities = {"Tea": 0.35, "Mugs": 0.9, "Cake": 0.15, "Same": 0.4, "New": 9.0}
    assert tastes_of(affinities, usual) == ["Mugs", "Tea"]


@pytest.mark.parametrize("algorithm", ["als", "bpr", "svd", "pmf", "nmf", "svdpp"])
@pytest.mark.parametrize("are_equal", [False, True])
def test_the_factors_multiply_to_the_scores_up_to_what_is_the_same_for_a_row_or_an_item(algorithm, are_equal):
    random = np.random.default_rng(3)
    ratings = np.ones(400) if are_equal else random.integers(1, 6, 400).astype(float)
    log = Interactions.from_arrays(
        users=np.repeat(np.arange(40), 10), items=random.integers(0, 15, 400), weights=ratings, shape=(40, 15)
    )
    model = get(algorithm)(factors=4).fit(log)
    users, items = model.embeddings(log)
    score = np.concatenate([block for _, block in model.score_blocks(log)])
    rest = score - users @ items.T
    rest -= rest.mean(axis=1, keepdims=True)
    assert rest == pytest.approx(np.broadcast_to(rest.mean(axis=0), rest.shape), abs=1e-4)


def served_by(algorithm, **parameters):
    run = services.train(algorithm=algorithm, parameters=parameters)
    services.run_training(run.pk)
    run.refresh_from_db()
    services.promote(run, actor="user:anna", reason="test")
    return run


@pytest.fixture
def labeled_shop(shop):
    """Even items are teas with the tag calm, odd ones mugs with the tag gift; a brand goes across."""
    customers, items = shop
    TraitDefinition.objects.all().delete()
    for n, item in enumerate(items):
        item.categories, item.brand = (["Mugs"] if n % 2 else ["Tea"]), "Acme"
        item.attributes = {"tags": ["gift"] if n % 2 else "calm | warm"}
    Item.objects.bulk_update(items, ["categories", "brand", "attributes"])
    return customers


def values(name):
    found = Customer.objects.order_by("pk").values_list("traits", flat=True)
    return [traits.get(name) for traits in found]


@pytest.mark.django_db
@pytest.mark.parametrize("algorithm", ["als", "bpr"])
def test_customers_get_the_labels_of_their_half_of_the_shop_and_a_stranger_none(labeled_shop, algorithm):
    served_by(algorithm, factors=4)
    Customer.objects.create(external_id="stranger", created_at=START)
    by_category = save_definition(TraitDefinition(name="taste", kind="taste"))
    by_tag = save_definition(TraitDefinition(name="tags_liked", kind="taste", property="tags"))
    refresh(by_category, now=NOW)
    refresh(by_tag, now=NOW)
    told = values("taste")
    assert told[-1] is None
    # Of two halves each lies a standard deviation from the mean; noise puts some just below it.
    assert set(told[0:120:2]) <= {"Tea", None} and set(told[1:120:2]) <= {"Mugs", None}
    assert sum(value is not None for value in told) >= 40
    assert set(values("tags_liked")[0:120:2]) <= {"calm, warm", "warm, calm", "calm", "warm", None}
    by_category.refresh_from_db()
    assert by_category.covered == sum(value is not None for value in told)


@pytest.mark.django_db
def test_it_says_plainly_when_nothing_serves_or_what_serves_has_no_factors_and_keeps_no_old_values(
    labeled_shop,
):
    definition = save_definition(TraitDefinition(name="taste", kind="taste"))
    refresh(definition, now=NOW)
    definition.refresh_from_db()
    assert "No recommender" in definition.problem
    served_by("als", factors=4)
    refresh(definition, now=NOW)
    definition.refresh_from_db()
    assert definition.problem == "" and definition.covered > 0
    served_by("ease")
    assert kind_of("taste").is_outdated(definition)
    refresh(definition, now=NOW)
    definition.refresh_from_db()
    assert "ease" in definition.problem and definition.covered == 0
    assert not any(values("taste"))
