from decimal import Decimal

import pytest

from personalization.catalog.models import Item
from recommender.ranking.rules import Rules
from recommender.ranking.stocktaking import load_assortment


@pytest.fixture
def catalog(db):
    return Item.objects.bulk_create(
        [
            Item(external_id="a", name="A", categories=["Food", "Tea"], brand="Leaf", price=Decimal("9.99")),
            Item(external_id="b", name="B", categories=["Food"], brand="Food", price=Decimal("10")),
            Item(external_id="c", name="C", brand="Leaf"),
            Item(external_id="d", name="D", categories=["Tea"], is_hidden=True),
            Item(external_id="e", name="E", categories=["Tea"], stock=0),
            Item(external_id="f", name="F", categories=["Tea"], stock=1, price=Decimal("0")),
        ]
    )


def test_hidden_and_sold_out_items_are_not_there(catalog):
    found = load_assortment()
    a, b, c, d, _, f = (item.pk for item in catalog)
    assert found.item_ids.tolist() == [a, b, c, f]
    assert found.places([f, d, 999_999, a]).tolist() == [3, -1, -1, 0]
    assert found.category.tolist() == [found.codes["Tea"], found.codes["Food"], -1, found.codes["Tea"]]


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (Rules(), "abcf"),
        (Rules(categories=("Food",)), "ab"),
        (Rules(categories=("Tea", "Nothing")), "af"),
        (Rules(categories=("Nothing",)), ""),
        (Rules(not_categories=("Food",)), "cf"),
        (Rules(brands=("Food",)), "b"),
        (Rules(price_min=Decimal("9.99")), "ab"),
        (Rules(price_min=Decimal("9.995")), "b"),
        (Rules(price_max=Decimal("9.995")), "af"),
        (Rules(price_min=Decimal(0), price_max=Decimal(0)), "f"),
    ],
)
def test_rules_let_through_what_fits(catalog, rules, expected):
    found = load_assortment()
    names = dict(Item.objects.values_list("pk", "external_id"))
    assert "".join(names[item] for item in found.item_ids[found.allowed(rules)].tolist()) == expected
    barred = Rules(**{**rules.__dict__, "not_items": (catalog[0].pk, catalog[3].pk, 7)})
    assert "a" not in "".join(names[item] for item in found.item_ids[found.allowed(barred)].tolist())
