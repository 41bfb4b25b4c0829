"""Rules for recommended items in plain words, and how they are read."""

from decimal import Decimal

import pytest

from campaigns.item_choice import ItemChoice, describe, read_choice
from personalization.catalog.models import Item
from recommender.ranking.rules import ALLOW, ONLY, Rules, RulesError


@pytest.mark.parametrize(
    ("rules", "sentence"),
    [
        (Rules(), "New to the customer"),
        (
            Rules(max_per_category=2, not_in_last_messages=3),
            "New to the customer, at most 2 of a category, nothing from the last 3 messages",
        ),
        (
            Rules(bought=ONLY, not_in_last_messages=1, diversity=0.7),
            "Only what the customer bought before, nothing from the last message, more variety",
        ),
        (
            Rules(bought=ALLOW, categories=("Tea", "Coffee"), not_categories=("Cups",), brands=("Leaf",)),
            "New or bought before, only from Tea or Coffee, nothing from Cups, only by Leaf",
        ),
        (Rules(price_min=Decimal("5"), price_max=Decimal("7.5")), "New to the customer, priced 5 to 7.5"),
        (Rules(price_max=Decimal("20.00")), "New to the customer, priced 20 or less"),
        (Rules(price_min=Decimal("1.25")), "New to the customer, priced 1.25 or more"),
        (
            Rules(brands=("A", "B", "C", "D", "E"), pinned=(1, 2), not_items=(3,)),
            "New to the customer, only by A or B or C or 2 more, 2 pinned first, 1 item left out",
        ),
        (Rules(diversity=0.6), "New to the customer, much more variety"),
        (Rules(diversity=0.8), "New to the customer, a little more variety"),
        (Rules(diversity=1.0), "New to the customer"),
    ],
)
def test_the_rules_are_said_in_a_sentence(rules, sentence):
    assert describe(ItemChoice(6, rules)) == sentence


@pytest.mark.django_db
def test_items_are_named_by_the_shops_ids_and_every_problem_at_once():
    item = Item.objects.create(external_id="tea", name="Tea")
    choice = read_choice({"item_count": 3, "rules": {"pinned": ["tea"], "not_in_last_messages": 2}})
    assert choice == ItemChoice(3, Rules(pinned=(item.pk,), not_in_last_messages=2))
    assert read_choice({}) == ItemChoice(6, Rules())
    with pytest.raises(RulesError) as wrong:
        read_choice({"item_count": "3", "rules": {"pinned": ["tea", "ink"], "bought": 1}})
    assert [one["pointer"] for one in wrong.value.errors] == [
        "/item_count",
        "/rules/bought",
        "/rules/pinned/1",
    ]


@pytest.mark.parametrize("count", [0, 51, 2.5, True, None])
def test_a_message_recommends_1_to_50_items(count):
    with pytest.raises(RulesError, match="1 to 50"):
        read_choice({"item_count": count})
