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
from personalization.traits import refreshing
from personalization.traits.kinds.count import CountOfEvents
from personalization.traits.models import TraitDefinition
from personalization.traits.refreshing import refresh, refresh_due
from personalization.traits.registry import kind_of
from personalization.traits.services import compute_anew, remove_definition, save_definition, stop_computing
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


@pytest.fixture
def seen(monkeypatch):
    """Chunks of one customer; what each finds written of its refresh, and may do something about."""
    monkeypatch.setattr(refreshing, "CHUNK", 1)
    compute, found = CountOfEvents.compute, []

    def look(self, definition, ids, *, now):
        row = TraitDefinition.objects.get(pk=definition.pk)
        found.append((row.share_done, row.covered))
        if len(found) in found_actions:
            found_actions[len(found)](row)
        return compute(self, definition, ids, now=now)

    found_actions: dict = {}
    monkeypatch.setattr(CountOfEvents, "compute", look)
    return found, found_actions


def everybody_orders(happen, many: int) -> None:
    for number in range(many):
        happen(Customer.objects.create(external_id=f"c-{number}", created_at=NOW), days_ago=1)


def test_a_refresh_of_everybody_says_how_far_it_is(ada, happen, define, seen):
    everybody_orders(happen, 3)  # and ada, who comes first and has no order
    refresh(define("orders", "count"), now=NOW)
    assert seen[0] == [(0, 0), (0.25, 0), (0.5, 1), (0.75, 2)]
    definition = TraitDefinition.objects.get()
    assert (definition.covered, definition.leased_until, definition.started_at) == (3, None, None)


def test_one_that_is_stopped_ends_at_once_and_keeps_what_it_wrote(ada, happen, define, seen):
    everybody_orders(happen, 3)
    definition = define("orders", "count")
    seen[1][3] = lambda row: stop_computing(row, actor="user:kim")
    refresh(definition, now=NOW)
    assert Customer.objects.filter(traits__orders=1).count() == 1
    definition.refresh_from_db()
    assert (definition.is_active, definition.refreshed_at, definition.leased_until) == (False, None, None)
    refresh_due(now=NOW + DAY)
    assert Customer.objects.filter(traits__orders=1).count() == 1
    compute_anew(definition, actor="user:kim")
    refresh_due(now=NOW + DAY)
    definition.refresh_from_db()
    assert Customer.objects.filter(traits__orders=1).count() == definition.covered == 3


def test_one_whose_definition_changes_meanwhile_leaves_it_to_the_next(ada, happen, define, seen):
    everybody_orders(happen, 2)
    definition = define("orders", "count")

    def change(row):
        row.event = "Page Viewed"
        save_definition(row)

    seen[1][3] = change
    refresh(definition, now=NOW)
    definition.refresh_from_db()
    assert (definition.event, definition.full_at, definition.refreshed_at) == ("Page Viewed", None, None)
    refresh_due(now=NOW)
    definition.refresh_from_db()
    assert (Customer.objects.filter(traits__has_key="orders").count(), definition.covered) == (0, 0)


def test_one_that_is_removed_while_a_chunk_is_computed_leaves_no_value(ada, happen, define, seen):
    everybody_orders(happen, 3)
    seen[1][2] = remove_definition
    refresh(define("orders", "count"), now=NOW)
    assert not TraitDefinition.objects.exists()
    assert not Customer.objects.filter(traits__has_key="orders").exists()


def test_everybody_asked_for_during_a_refresh_is_computed_by_the_next(ada, happen, define, seen):
    definition = define("orders", "count")
    refresh(definition, now=NOW)
    happen(ada, received=NOW + DAY)
    seen[1][2] = lambda row: compute_anew(row, actor="user:kim")
    refresh(definition, now=NOW + DAY)
    definition.refresh_from_db()
    assert (definition.full_at, definition.refreshed_at) == (None, NOW + DAY)


def test_a_refresh_left_by_a_dead_worker_is_taken_up(ada, happen, define):
    happen(ada)
    died = NOW - timedelta(minutes=6)
    definition = define("orders", "count", leased_until=NOW - timedelta(minutes=1), started_at=died)
    assert refresh(definition, now=NOW) == 1
    definition.refresh_from_db()
    assert (definition.refreshed_at, definition.started_at) == (NOW, None)


def test_one_that_fails_is_not_under_way(ada, define, monkeypatch):
    def fail(*_args, **_options):
        raise ValueError

    monkeypatch.setattr(CountOfEvents, "compute", fail)
    define("orders", "count")
    refresh_due(now=NOW)
    definition = TraitDefinition.objects.get()
    assert definition.started_at is None and definition.leased_until > NOW
