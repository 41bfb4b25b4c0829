from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.utils import timezone

from personalization.catalog.models import Item
from personalization.customers.models import Customer
from personalization.events.models import Event
from personalization.events.services import NewEvent, record_events
from recommender import selectors, services
from recommender.inputs.moment import Moment
from recommender.models import ModelRun
from recommender.ranking.rules import Rules

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["ease", "als", "item_knn"])
def champion(request, shop):
    parameters = {"factors": 2} if request.param == "als" else {}
    run = services.train(algorithm=request.param, parameters=parameters)
    services.run_training(run.pk)
    run.refresh_from_db()
    services.promote(run, actor="user:anna", reason="test")
    return run


def taste(items, recommendations):
    place = {item.pk: at for at, item in enumerate(items)}
    return {place[found.item_id] % 2 for found in recommendations}


def bought(customer):
    return set(Event.objects.filter(customer=customer, name="Order Line").values_list("item_id", flat=True))


def test_everyone_gets_items_of_their_own_taste_and_none_bought(shop, champion):
    customers, items = shop
    lists = selectors.recommend([customer.pk for customer in customers], k=5)
    assert len(lists) == 120
    for n, customer in enumerate(customers):
        found = lists[customer.pk]
        assert len({one.item_id for one in found}) == 5
        assert taste(items, found) == {n % 2}
        assert not {one.item_id for one in found} & bought(customer)
        assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)


def test_reasons_are_items_of_the_history(shop, champion):
    customers, _ = shop
    found = selectors.recommend([customers[0].pk], k=3)[customers[0].pk]
    seen = set(Event.objects.filter(customer=customers[0]).values_list("item_id", flat=True))
    assert {one.reason_kind for one in found} == {"because"}
    assert all(one.reason_item_id in seen and one.reason_item_id != one.item_id for one in found)


def test_nobody_is_told_to_have_bought_what_was_only_looked_at(shop, champion):
    customers, items = shop
    lists = selectors.recommend([customer.pk for customer in customers], k=10)
    for customer in customers:
        for one in lists[customer.pk]:
            is_bought = one.reason_item_id in bought(customer)
            assert (one.reason_event == "bought") == is_bought
    new = Customer.objects.create(external_id="looks", created_at=timezone.now())
    record_events([NewEvent(new.pk, "n", "Product Viewed", timezone.now(), item_id=items[1].pk)])
    found = selectors.recommend([new.pk], k=3)[new.pk]
    assert {(one.reason_item_id, one.reason_event) for one in found} == {(items[1].pk, "viewed")}


def test_an_event_of_a_second_ago_counts(shop, champion):
    _, items = shop
    new = Customer.objects.create(external_id="new", created_at=timezone.now())
    assert {one.reason_kind for one in selectors.recommend([new.pk])[new.pk]} == {"popular"}
    now = timezone.now() - timedelta(seconds=1)
    record_events([NewEvent(new.pk, f"n{at}", "Order Line", now, item_id=items[at].pk) for at in (1, 3)])
    found = selectors.recommend([new.pk], k=4)[new.pk]
    assert taste(items, found) == {1}
    assert found[0].reason_item_id in {items[1].pk, items[3].pk}


def test_bought_items_come_back_when_asked(shop, champion):
    customers, items = shop
    lists = selectors.recommend([customers[0].pk], k=30, rules=Rules(bought="allow"))
    assert {one.item_id for one in lists[customers[0].pk]} == {item.pk for item in items}


def test_hidden_sold_out_and_not_allowed_items_never_appear(shop, champion):
    customers, items = shop
    Item.objects.filter(pk=items[0].pk).update(is_hidden=True)
    Item.objects.filter(pk=items[2].pk).update(stock=0)
    everyone = [customer.pk for customer in customers[:20]]
    shown = {one.item_id for found in selectors.recommend(everyone, k=30).values() for one in found}
    assert not {items[0].pk, items[2].pk} & shown
    Item.objects.filter(pk__in=[items[4].pk, items[5].pk, items[0].pk]).update(brand="Chosen")
    some = selectors.recommend(everyone, k=30, rules=Rules(bought="allow", brands=("Chosen",)))
    assert all({one.item_id for one in found} == {items[4].pk, items[5].pk} for found in some.values())


def test_a_list_is_filled_with_popular_and_with_new_items(shop, champion):
    customers, items = shop
    fresh = Item.objects.create(external_id="fresh", name="Fresh")
    found = selectors.recommend([customers[0].pk], k=100)[customers[0].pk]
    assert {one.item_id for one in found} == {item.pk for item in items} - bought(customers[0]) | {fresh.pk}
    assert next(one for one in found if one.item_id == fresh.pk).reason_kind == "popular"


def test_without_a_champion_popular_items_are_shown(shop):
    customers, _ = shop
    found = selectors.recommend([customers[0].pk], k=6)[customers[0].pk]
    assert len(found) == 6 and {one.reason_kind for one in found} == {"popular"}
    assert not {one.item_id for one in found} & bought(customers[0])


def test_a_lost_file_is_survived_with_popular_items(shop, champion, own_models):
    customers, _ = shop
    (own_models / champion.artifact).unlink()
    selectors.serve_champion.__globals__["_load"].cache_clear()
    found = selectors.recommend([customers[0].pk])[customers[0].pk]
    assert len(found) == 6 and {one.reason_kind for one in found} == {"popular"}


def test_a_file_that_was_exchanged_is_not_served(shop, champion, own_models):
    customers, _ = shop
    ModelRun.objects.filter(pk=champion.pk).update(artifact_sha256="0" * 64)
    assert {one.reason_kind for one in selectors.recommend([customers[0].pk])[customers[0].pk]} == {"popular"}


def test_the_queries_do_not_grow_with_the_customers(shop, champion, django_assert_max_num_queries):
    customers, _ = shop
    with django_assert_max_num_queries(5):
        selectors.recommend([customer.pk for customer in customers], k=6)


def test_nobody_asked_nobody_answered(shop, champion):
    assert selectors.recommend([]) == {}


@pytest.mark.parametrize("with_model", [True, False])
def test_only_what_was_bought_and_a_cap_hold_in_the_whole_list(shop, with_model, request):
    customers, items = shop
    if with_model:
        services.run_training(services.train(algorithm="ease", parameters={}).pk)
    everyone = [customer.pk for customer in customers[:20]]
    lists = selectors.recommend(everyone, k=30, rules=Rules(bought="only"))
    assert all({one.item_id for one in lists[c.pk]} == bought(c) for c in customers[:20])
    for at, item in enumerate(items):
        item.categories = ["All", f"shelf {at // 10}"]
    Item.objects.bulk_update(items, ["categories"])
    capped = selectors.recommend(everyone, k=30, rules=Rules(bought="allow", max_per_category=2))
    assert all(len(found) == 6 for found in capped.values())
    shelf = {item.pk: item.categories[-1] for item in items}
    first = [shelf[one.item_id] for one in capped[everyone[0]]]
    assert {name: first.count(name) for name in first} == {"shelf 0": 2, "shelf 1": 2, "shelf 2": 2}


def test_filters_are_read_now_and_pinned_items_come_first(shop, champion):
    customers, items = shop
    someone = customers[0].pk
    Item.objects.filter(pk=items[9].pk).update(categories=["Drinks", "Tea"])
    Item.objects.filter(pk=items[8].pk).update(stock=0)
    rules = Rules(
        bought="allow", price_min=Decimal(8), price_max=Decimal(12), not_categories=("Drinks",),
        pinned=(items[11].pk, items[8].pk, items[0].pk), not_items=(items[10].pk,),
    )  # fmt: skip
    found = selectors.recommend([someone], k=30, rules=rules)[someone]
    assert found[0].item_id == items[11].pk
    assert found[0].reason_kind == "pinned"
    assert {one.item_id for one in found} == {items[7].pk, items[11].pk}
    assert [one.item_id for one in selectors.recommend_popular(rules=Rules(categories=("Tea",)))] == [
        items[9].pk
    ]


def test_a_model_of_context_lists_what_is_wanted_at_this_time_of_the_day(db):
    """Everybody looks at items 0 to 9 in the morning and at 10 to 19 in the evening, here in UTC."""
    monday = datetime(2026, 3, 2, tzinfo=UTC)
    customers = Customer.objects.bulk_create(
        [Customer(external_id=f"t{n}", created_at=monday) for n in range(60)]
    )
    items = Item.objects.bulk_create([Item(external_id=f"d{n}", name=f"Item {n}") for n in range(20)])
    record_events(
        [
            NewEvent(
                customer.pk, f"{n}-{day}", "Product Viewed",
                monday + timedelta(days=day, hours=8 if day % 2 else 20),
                item_id=items[(3 * n + day) % 10 + (0 if day % 2 else 10)].pk,
            )
            for n, customer in enumerate(customers)
            for day in range(12)
        ]
    )  # fmt: skip
    run = services.train(algorithm="tensor", parameters={"factors": 4})
    services.run_training(run.pk)
    run.refresh_from_db()
    services.promote(run, actor="user:anna", reason="test")
    shown = {}
    for hour in (8, 20):
        with time_machine.travel(monday + timedelta(days=30, hours=hour), tick=False):
            lists = selectors.recommend([customer.pk for customer in customers], k=5)
        place = {item.pk: at for at, item in enumerate(items)}
        shown[hour] = [place[found.item_id] < 10 for one in lists.values() for found in one]
    assert sum(shown[8]) > 0.9 * len(shown[8])
    assert sum(shown[20]) < 0.1 * len(shown[20])


def test_what_a_visitor_looks_at_makes_the_list_personal(shop, champion):
    _, items = shop
    moment = Moment(current_item=items[3].pk, cart=(items[1].pk, items[5].pk))
    found = selectors.recommend_popular(k=5, context=moment)
    assert taste(items, found) == {1}
    assert {one.reason_kind for one in found} == {"because"}
    assert {one.reason_item_id for one in found} <= {items[at].pk for at in (1, 3, 5)}
    assert not {one.item_id for one in found} & {items[at].pk for at in (1, 3, 5)}


def test_what_the_caller_leaves_out_is_left_out(shop, champion):
    customers, items = shop
    someone, other = customers[0].pk, customers[2].pk
    first = [one.item_id for one in selectors.recommend([someone], k=4)[someone]]
    lists = selectors.recommend([someone, other], k=30, left_out={someone: first[:2]})
    assert not set(first[:2]) & {one.item_id for one in lists[someone]}
    assert [one.item_id for one in lists[someone]][:2] == first[2:]
    assert {one.item_id for one in lists[other]} == {item.pk for item in items} - bought(customers[2])
    shown = selectors.recommend_popular(k=30, left_out=first)
    assert {one.item_id for one in shown} == {item.pk for item in items} - set(first)
