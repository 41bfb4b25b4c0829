"""Interests, with shares that can be counted by hand."""

from personalization.catalog.models import Item
from personalization.customers.models import Customer
from personalization.traits.kinds.interests import interests_of
from personalization.traits.refreshing import refresh
from personalization.traits.registry import kind_of
from tests.traits.conftest import NOW


def test_an_interest_exceeds_the_share_of_everybody_after_smoothing():
    shares = {"Tea": 0.2, "Mugs": 0.5, "Rare": 0.01}
    # Tea (6 + 2) / 20 = .4, twice the usual; mugs (4 + 5) / 20 = .45, less than usual; one rare: none.
    assert interests_of({"Tea": 6, "Mugs": 4, "Rare": 1}, 10, shares) == ["Tea"]
    # Mugs (10 + 5) / 20 = .75, 1.5 times the usual: gains .25. Rare (2 + .1) / 20 = .105: gains .095.
    assert interests_of({"Mugs": 10, "Rare": 2}, 10, shares) == ["Mugs", "Rare"]
    # Two of two: (2 + 5) / 12 = .583, 1.17 times the usual: too little evidence.
    assert interests_of({"Mugs": 2, "New": 2}, 2, shares) == []


def test_interests_are_told_of_who_differs_from_everybody(ada, happen, define):
    bob = Customer.objects.create(external_id="bob", created_at=NOW)
    tea = Item.objects.create(external_id="t", name="Tea", categories=["Drinks", "Tea"])
    mug = Item.objects.create(external_id="m", name="Mug", categories=["Mugs"])
    for days in range(1, 5):
        happen(ada, "Order Line", item=tea, days_ago=days)
    for days in range(1, 13):
        happen(bob, "Order Line", item=mug, days_ago=days)
    definition = define("likes", "interests", event="Order Line")
    refresh(definition, now=NOW)
    definition.refresh_from_db()
    assert definition.state["shares"] == {"Mugs": 0.75, "Drinks": 0.25, "Tea": 0.25}
    # Ada: tea (4 + 2.5) / 14 = .46 of .25. Bob: mugs (12 + 7.5) / 22 = .89 of .75, 1.18 times: as most do.
    traits = dict(Customer.objects.values_list("external_id", "traits"))
    assert traits == {"ada": {"likes": "Drinks, Tea"}, "bob": {}}


def test_without_categories_it_says_why(ada, happen, define):
    happen(ada, "Order Line")
    definition = define("likes", "interests", event="Order Line")
    refresh(definition, now=NOW)
    definition.refresh_from_db()
    assert "categories" in definition.problem


def test_interests_go_by_tags_or_brands_of_items_too(ada, happen, define):
    bob = Customer.objects.create(external_id="bob", created_at=NOW)
    tea = Item.objects.create(
        external_id="t", name="Tea", brand="Ace", attributes={"tags": ["calm", "", "calm"]}
    )
    mug = Item.objects.create(external_id="m", name="Mug", brand="Zoe", attributes={"tags": "gift | blue"})
    bare = Item.objects.create(external_id="b", name="Bare", attributes={"tags": None, "size": 3})
    for days in range(1, 5):
        happen(ada, "Order Line", item=tea, days_ago=days)
        happen(ada, "Order Line", item=bare, days_ago=days)
    for days in range(1, 13):
        happen(bob, "Order Line", item=mug, days_ago=days)
    by_tag = define("likes", "interests", event="Order Line", property="tags")
    by_brand = define("brands", "interests", event="Order Line", property="brand")
    refresh(by_tag, now=NOW)
    refresh(by_brand, now=NOW)
    by_tag.refresh_from_db()
    # Bare items have no tags, so they are no events here: 4 of 16 are calm.
    assert by_tag.state["shares"] == {"blue": 0.75, "gift": 0.75, "calm": 0.25}
    traits = dict(Customer.objects.values_list("external_id", "traits"))
    assert traits == {"ada": {"likes": "calm", "brands": "Ace"}, "bob": {}}
    assert "tags" in kind_of("interests").formula(by_tag)
