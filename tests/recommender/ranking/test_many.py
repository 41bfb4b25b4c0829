"""Every list that the compiled code makes, held against plain Python: no rule leaks, no place stays empty."""

import json
from collections import Counter
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from recommender.algorithms import Interactions, get
from recommender.inputs.histories import Histories
from recommender.inputs.moment import Moment
from recommender.ranking.assortment import assortment_of
from recommender.ranking.choosing import CLOSENESS
from recommender.ranking.many import KINDS, Ranking
from recommender.ranking.rules import Rules
from recommender.serving import ServedModel
from tests.recommender.plain_lists import choose

N_ITEMS, N_CUSTOMERS = 14, 9
CATEGORIES, BRANDS = ["tea", "mugs", "books", "late"], ["Leaf", "Pot", "tea"]
IDS = some.integers(1, N_ITEMS)
PRICES = some.none() | some.integers(0, 9)


def served(name="ease", *, known=10):
    """A model that knows the first items only; the rest of the catalog is new to it."""
    random = np.random.default_rng(3)
    trained = Interactions.from_arrays(
        users=random.integers(0, 40, 300),
        items=random.integers(0, known, 300) ** 2 % known,
        shape=(40, known),
    )
    return ServedModel(get(name)().fit(trained), np.arange(1, known + 1), {"Order Line": 1.0})


MODELS = {name: served(name) for name in ("ease", "popular", "item_knn")}
KNOWING_ALL = {name: served(name, known=N_ITEMS) for name in ("ease", "als")}
CATALOG = some.lists(
    some.tuples(
        some.lists(some.sampled_from(CATEGORIES), max_size=3), some.sampled_from(["", *BRANDS]), PRICES
    ),
    min_size=N_ITEMS, max_size=N_ITEMS,
)  # fmt: skip
RULES = some.builds(
    Rules,
    bought=some.sampled_from(["exclude", "only", "allow"]),
    categories=some.lists(some.sampled_from(CATEGORIES), max_size=2).map(tuple),
    not_categories=some.lists(some.sampled_from(CATEGORIES), max_size=1).map(tuple),
    brands=some.lists(some.sampled_from(BRANDS), max_size=1).map(tuple),
    price_min=some.none() | some.integers(0, 4).map(Decimal),
    price_max=some.none() | some.integers(4, 9).map(Decimal),
    max_per_category=some.none() | some.integers(1, 3),
    pinned=some.lists(IDS, max_size=4, unique=True).map(tuple),
    not_items=some.lists(IDS, max_size=3).map(tuple),
    diversity=some.none() | some.sampled_from([0.3, 0.7, 1.0]),
)


@some.composite
def histories(draw):
    pairs = draw(
        some.lists(some.tuples(some.integers(0, N_CUSTOMERS - 1), IDS, some.booleans()), max_size=40)
    )
    users, items = np.array([p[0] for p in pairs], int), np.array([p[1] for p in pairs], int)
    is_bought = np.array([p[2] for p in pairs], bool)
    return Histories(
        np.arange(100, 100 + N_CUSTOMERS), users, items, np.ones(len(pairs)), np.arange(len(pairs)),
        users[is_bought], items[is_bought],
    )  # fmt: skip


def plain_allowed(catalog, rules, gone):
    """Item ids with their narrowest category, as the rules are written down."""
    found = {}
    for item, (categories, brand, price) in enumerate(catalog, start=1):
        fits = not rules.categories or bool(set(rules.categories) & set(categories))
        fits = fits and not set(rules.not_categories) & set(categories)
        fits = fits and (not rules.brands or brand in rules.brands)
        fits = fits and (rules.price_min is None or (price is not None and price >= rules.price_min))
        fits = fits and (rules.price_max is None or (price is not None and price <= rules.price_max))
        if fits and item not in gone:
            found[item] = categories[-1] if categories else ""
    return found


def ranked(model, catalog, gone, rules, moment, own, left_out, k):
    rows = [
        (item, json.dumps(categories), brand, None if price is None else 100 * price)
        for item, (categories, brand, price) in enumerate(catalog, start=1)
        if item not in gone
    ]
    ranking = Ranking(model, assortment_of(rows), k=k, rules=rules, moment=moment)
    own = own.at(moment, weight=1.0)
    found = ranking.rank(own, model.rows(own), left_out=left_out, by_trait=None)
    return [[int(item) for item in line if item >= 0] for line in found.items], found


@settings(max_examples=250, deadline=None)
@given(
    some.sampled_from(sorted(MODELS)), CATALOG, some.sets(IDS, max_size=4), RULES, histories(),
    some.dictionaries(some.integers(100, 99 + N_CUSTOMERS), some.lists(IDS, max_size=4), max_size=5),
    some.none() | IDS, some.lists(IDS, max_size=2).map(tuple), some.integers(1, 9),
)  # fmt: skip
def test_no_rule_leaks_and_no_list_is_shorter_than_it_must_be(
    name, catalog, gone, rules, own, left_out, current, cart, k
):
    moment = Moment(current_item=current, cart=cart)
    lists, found = ranked(MODELS[name], catalog, gone, rules, moment, own, left_out, k)
    allowed = plain_allowed(catalog, rules, gone)
    for row, items in enumerate(lists):
        customer = 100 + row
        bought = set(own.bought_items[own.bought_users == row].tolist())
        barred = {*left_out.get(customer, ()), *moment.items}
        fits = {
            item
            for item in set(allowed) - barred - set(rules.not_items)
            if rules.bought == "allow" or (item in bought) == (rules.bought == "only")
        }
        assert len(items) == len(set(items)) <= k and set(items) <= fits
        per_category = Counter(allowed[item] for item in items if allowed[item])
        cap = rules.max_per_category or N_ITEMS
        assert max(per_category.values(), default=0) <= cap
        is_pinned = [KINDS[kind] == "pinned" for kind in found.kinds[row][: len(items)]]
        assert is_pinned == sorted(is_pinned, reverse=True)
        assert all((item in rules.pinned) == pinned for item, pinned in zip(items, is_pinned, strict=True))
        for item in fits - set(items):
            assert len(items) == k or (allowed[item] and per_category[allowed[item]] == cap)


@settings(max_examples=100, deadline=None)
@given(CATALOG, some.sets(IDS, max_size=4), RULES, histories(), some.integers(1, 9))
def test_lists_are_what_choosing_one_item_after_the_other_gives(catalog, gone, rules, own, k):
    model = MODELS["ease"]
    rules = Rules(**{**rules.__dict__, "diversity": None})
    lists, _ = ranked(model, catalog, gone, rules, Moment(), own, {}, k)
    allowed = plain_allowed(catalog, rules, gone)
    weights = dict(zip(range(1, 11), model.model.item_weights.tolist(), strict=True))
    popular = sorted(
        allowed, key=lambda item: (-weights.get(item, 0), item if weights.get(item, 0) > 0 else -item)
    )
    rows = model.rows(own)
    scores = next(model.model.score_blocks(rows))[1]
    for row, items in enumerate(lists):
        by_score = sorted(range(10), key=lambda column: -scores[row, column])
        personal = [column + 1 for column in by_score if scores[row, column] > -np.inf]
        bought = set(own.bought_items[own.bought_users == row].tolist())
        expected = choose([*personal, *popular], k=k, rules=rules, allowed=allowed, bought=bought)
        assert items == expected


def tags(item):
    categories, brand, _ = item
    return {("category", name) for name in categories} | ({("brand", brand)} if brand else set())


def likeness(one, other):
    both = tags(one) | tags(other)
    return len(tags(one) & tags(other)) / len(both) if both else 0.0


def deviation(values):
    """What one standard deviation is; infinite where all are equal, so that nothing counts."""
    found = np.std(list(values))
    return found if found > 1e-9 else np.inf


def holds_marginal_relevance(chosen, scores, alike, balance):
    """Each entry is the best of those left, in the words of the two papers."""
    spread = deviation(scores.values())
    for at, item in enumerate(chosen):
        left = [other for other in scores if other not in chosen[:at]]
        near = {other: np.mean([alike(other, c) for c in chosen[:at]] or [0]) for other in left}
        unit = deviation(near.values()) / CLOSENESS
        worth = {
            other: balance * scores[other] / spread - (1 - balance) * near[other] / unit for other in left
        }
        assert worth[item] == pytest.approx(max(worth.values()), abs=1e-4)


@settings(max_examples=60, deadline=None)
@given(CATALOG, some.sampled_from([0.2, 0.5, 0.9]), some.integers(2, 6), some.sampled_from(["ease", "als"]))
def test_diverse_lists_are_marginal_relevance_word_for_word(catalog, balance, k, name):
    model, moment, nobody = KNOWING_ALL[name], Moment(current_item=2, cart=(5,)), Histories.empty([100])
    rows = model.rows(nobody.at(moment, weight=1.0))
    lists, _ = ranked(model, catalog, set(), Rules(diversity=balance), moment, nobody, {}, k)
    found = next(model.model.score_blocks(rows))[1][0].astype(float)
    scores = {item: found[item - 1] for item in range(1, N_ITEMS + 1) if item not in (2, 5)}
    vectors = model.model.item_vectors()

    def alike(one, other):
        if vectors is None or not (vectors[one - 1].any() and vectors[other - 1].any()):
            return likeness(catalog[one - 1], catalog[other - 1])
        a, b = (vectors[item - 1].astype(float) for item in (one, other))
        return a @ b / np.sqrt((a @ a) * (b @ b))

    assert len(lists[0]) == k
    holds_marginal_relevance(lists[0], scores, alike, balance)


def test_an_item_that_the_model_does_not_know_is_as_alike_as_its_tags():
    model = served("als", known=10)
    catalog = [(["tea"], "Leaf", 1) for _ in range(N_ITEMS)]
    catalog[11] = (["books"], "Pot", 1)
    own = Histories.empty([100])
    # Of four items that nobody took, the list begins with the newest; then comes what is least like it.
    rules = Rules(diversity=0.01, not_items=tuple(range(1, 11)))
    lists, _ = ranked(model, catalog, set(), rules, Moment(), own, {}, 2)
    assert lists == [[14, 12]]


def test_a_list_of_a_hundred_and_many_categories_is_still_the_same():
    random = np.random.default_rng(5)
    trained = Interactions.from_arrays(
        users=random.integers(0, 200, 6000), items=random.integers(0, 500, 6000), shape=(200, 500)
    )
    model = ServedModel(get("ease")().fit(trained), np.arange(1, 501), {"Order Line": 1.0})
    catalog = [([f"c{random.integers(0, 40)}"], "", 1) for _ in range(500)]
    users, items = random.integers(0, 50, 400), random.integers(1, 501, 400)
    own = Histories(np.arange(50), users, items, np.ones(400), np.arange(400), users, items)
    rules = Rules(max_per_category=3)
    lists, _ = ranked(model, catalog, set(), rules, Moment(), own, {}, 100)
    scores = next(model.model.score_blocks(model.rows(own)))[1]
    allowed = plain_allowed(catalog, rules, set())
    for row in range(50):
        if not (users == row).any():
            continue
        order = (1 + np.argsort(-scores[row], kind="stable")).tolist()
        bought = set(items[users == row].tolist())
        assert lists[row] == choose(order, k=100, rules=rules, allowed=allowed, bought=bought)
