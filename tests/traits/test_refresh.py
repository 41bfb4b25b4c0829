"""Values follow the events, and only those are computed again that may have changed."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from personalization.catalog.models import Item
from personalization.customers.models import Customer, TraitChange
from personalization.customers.services import update_traits
from personalization.customers.trait_history import MOST_PER_TRAIT, prune_history
from personalization.events.merging import merge_customers, unmerge
from personalization.events.services import NewEvent, record_events
from personalization.traits.models import TraitDefinition
from personalization.traits.registry import kind_of
from personalization.traits.services import refresh, refresh_due
from tests.traits.conftest import NOW

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def traits(customer: Customer) -> dict:
    return Customer.objects.get(pk=customer.pk).traits


def test_numbers_are_those_of_pen_and_paper(ada, happen, define):
    happen(ada, value=10, days_ago=100)
    happen(ada, value=20.5, days_ago=10, color="red", weight="1.5")
    happen(ada, value=4, days_ago=3, color="blue", weight="heavy")
    happen(ada, "Page Viewed", days_ago=1)
    define("orders", "count")
    define("orders_30", "count", window_days=30)
    define("red", "count", filter={"color": "red"})
    define("spent", "sum", window_days=30)
    define("weight", "sum", property="weight")
    define("mean", "average")
    define("first_at", "first")
    define("last_color", "last", property="color")
    refresh_due(now=NOW)
    assert traits(ada) == {
        "orders": 3, "orders_30": 2, "red": 1, "spent": 24.5, "weight": 1.5, "mean": 11.5,
        "first_at": "2025-11-21T12:00:00+00:00", "last_color": "blue",
    }  # fmt: skip


def test_a_favorite_is_the_most_frequent_category_and_of_equals_the_latest(ada, happen, define):
    tea = Item.objects.create(external_id="t", name="Tea", categories=["Tea"])
    mug = Item.objects.create(external_id="m", name="Mug", categories=["Mugs"])
    happen(ada, "Order Line", item=mug, days_ago=5)
    happen(ada, "Order Line", item=tea, days_ago=3)
    define("favorite", "favorite_category", event="Order Line")
    define("tea_lines", "count", event="Order Line", filter={"category": "Tea"})
    refresh_due(now=NOW)
    assert traits(ada) == {"favorite": "Tea", "tea_lines": 1}
    happen(ada, "Order Line", item=mug, received=NOW, days_ago=40)
    refresh_due(now=NOW + DAY)
    assert traits(ada)["favorite"] == "Mugs"


def test_only_customers_with_news_or_a_moved_window_are_computed(ada, happen, define, monkeypatch):
    bob = Customer.objects.create(external_id="bob", created_at=NOW)
    cyd = Customer.objects.create(external_id="cyd", created_at=NOW)
    for person in (ada, bob, cyd):
        happen(person, days_ago=29.5 if person == bob else 5)
    definition = define("orders", "count", window_days=30)
    refresh(definition, now=NOW)
    asked: list[int] = []
    kind = kind_of("count")
    compute = type(kind).compute
    monkeypatch.setattr(
        type(kind),
        "compute",
        lambda self, d, ids, *, now: asked.extend(ids) or compute(self, d, ids, now=now),
    )
    happen(ada, days_ago=0, received=NOW + DAY / 2)
    definition.refresh_from_db()
    assert refresh(definition, now=NOW + DAY) == 2
    assert asked == [ada.pk, bob.pk]
    assert (traits(ada), traits(bob), traits(cyd)) == ({"orders": 2}, {}, {"orders": 1})
    definition.refresh_from_db()
    assert definition.covered == 2


steps = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.floats(0, 200),
        st.sampled_from(["Order Completed", "Message Clicked"]),
        st.integers(1, 9),
    ),
    max_size=4,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(1, 60), steps), min_size=1, max_size=4))
@example([(1, [(0, 0.0, "Order Completed", 1)]), (60, []), (1, [])])
def test_step_by_step_gives_what_computing_everything_at_once_gives(ada, days):
    with transaction.atomic():
        bob = Customer.objects.create(external_id="bob", created_at=NOW)
        kinds = {"count": 30, "sum": 45, "lifecycle": 60, "engagement": None, "preferred_hour": 60}
        made = [
            TraitDefinition.objects.create(name=f"x_{kind}", kind=kind, window_days=window)
            for kind, window in kinds.items()
        ]
        now, count = NOW, 0
        for passed, events in days:
            now += passed * DAY
            for person, ago, name, value in events:
                count += 1
                event = NewEvent((ada, bob)[person].pk, f"m{count}", name, now - ago * DAY, None, value)
                record_events([event], received_at=now)
            refresh_due(now=now)
        ids = [ada.pk, bob.pk]
        for definition in made:
            values = kind_of(definition.kind).compute(definition, ids, now=now)
            found = {pk: Customer.objects.get(pk=pk).traits.get(definition.name) for pk in ids}
            assert {pk: value for pk, value in found.items() if value is not None} == values
        transaction.set_rollback(True)


def test_undoing_a_merge_takes_the_other_persons_events_out_of_the_values(ada, happen, define):
    bob = Customer.objects.create(external_id="bob", created_at=NOW)
    happen(bob, value=7, days_ago=2)
    define("spent", "sum")
    refresh_due(now=NOW)
    merge = merge_customers(bob.pk, into_id=ada.pk, reason="staff", actor="user:kim")
    refresh_due(now=timezone.now())
    assert traits(ada) == {"spent": 7.0}
    unmerge(merge.pk, actor="user:kim")
    refresh_due(now=timezone.now() + DAY)
    assert (traits(ada), traits(bob)) == ({}, {"spent": 7.0})


def test_changes_of_values_are_kept_with_a_bound(ada, happen, define):
    happen(ada, days_ago=1)
    definition = define("orders", "count")
    refresh(definition, now=NOW)
    refresh(definition, now=NOW + DAY)
    update_traits(ada.pk, {"plan": "gold", "city": "Leeds"})
    update_traits(ada.pk, {"plan": None, "city": "Leeds"})
    told = TraitChange.objects.order_by("id").values_list("name", "value")
    assert sorted(told, key=str) == [("city", "Leeds"), ("orders", 1), ("plan", "gold"), ("plan", None)]
    for number in range(MOST_PER_TRAIT + 5):
        update_traits(ada.pk, {"level": number})
    assert prune_history() == 5
    assert TraitChange.objects.filter(name="level").count() == MOST_PER_TRAIT


def test_computing_does_not_make_a_profile_look_touched(ada, happen, define):
    before = Customer.objects.get(pk=ada.pk).updated_at
    happen(ada)
    define("orders", "count")
    refresh_due(now=NOW)
    assert Customer.objects.get(pk=ada.pk).updated_at == before


def test_two_workers_do_not_compute_the_same_trait(ada, define):
    definition = define("orders", "count", leased_until=NOW + DAY)
    assert refresh(definition, now=NOW) == 0
    definition.refresh_from_db()
    assert definition.refreshed_at is None


def test_a_model_of_too_few_says_so(ada, happen, define):
    happen(ada, value=3)
    definition = define("churn", "churn")
    refresh(definition, now=NOW)
    definition.refresh_from_db()
    assert "Too little data" in definition.problem
    assert traits(ada) == {}
