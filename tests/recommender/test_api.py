import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from personalization.access.models import Scope
from personalization.access.services import create_key
from personalization.customers.models import Identifier
from personalization.events.models import Event
from recommender import services

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/recommendations"


@pytest.fixture
def program():
    _, token = create_key(name="shop", scopes=[Scope.RECOMMENDATIONS])
    return Client(headers={"authorization": f"Bearer {token}"})


@pytest.fixture
def champion(shop):
    run = services.train(algorithm="ease", parameters={"regularization": 20.0})
    services.run_training(run.pk)
    return run


def ask(client, **body):
    return client.post(ADDRESS, body, content_type="application/json")


def test_known_customers_get_their_own_items_with_a_reason(program, champion):
    answer = ask(program, customers=["c0", "c1"], count=3)
    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert body["model"] == {"id": champion.pk, "algorithm": "ease"}
    assert [found["customer"] for found in body["recommendations"]] == ["c0", "c1"]
    first = body["recommendations"][0]["items"]
    assert len(first) == 3
    for found in first:
        assert int(found["item"][1:]) % 2 == 0
        assert found["reason_kind"] == "because"
        said = {"bought": "Because you bought", "viewed": "Because you looked at"}[found["reason_event"]]
        assert found["reason"] == f"{said} Item {found['reason_item'][1:]}"


def test_an_unknown_customer_gets_popular_items(program, champion):
    found = ask(program, customers=["stranger"]).json()["recommendations"][0]
    assert found["customer"] == "stranger" and len(found["items"]) == 6
    assert {item["reason_kind"] for item in found["items"]} == {"popular"}
    assert {item["reason_item"] for item in found["items"]} == {None}


def test_before_the_first_model_popular_items_are_answered(program, shop):
    body = ask(program, customers=["c0", "c0"]).json()
    assert body["model"] is None
    assert len(body["recommendations"]) == 1 and len(body["recommendations"][0]["items"]) == 6


def items_of(answer, place=0):
    assert answer.status_code == 200, answer.content
    return [found["item"] for found in answer.json()["recommendations"][place]["items"]]


def test_a_visitor_with_an_item_or_a_cart_gets_items_of_that_taste(program, champion):
    shown = program.post(ADDRESS, {
        "customers": ["stranger"], "count": 4,
        "context": {"current_item": "i3", "cart": ["i1", "i5"], "device": "mobile", "place": "GB",
                    "time": "2026-03-01T08:00:00Z"},
    }, content_type="application/json")  # fmt: skip
    assert all(int(item[1:]) % 2 == 1 for item in items_of(shown))
    assert not {"i1", "i3", "i5"} & set(items_of(shown))
    reasons = shown.json()["recommendations"][0]["items"]
    assert {found["reason_kind"] for found in reasons} == {"because"}
    assert {found["reason_item"] for found in reasons} <= {"i1", "i3", "i5"}
    assert all(found["reason"].startswith("Because you looked at Item ") for found in reasons)


def test_the_rules_hold_for_customers_and_visitors_alike(program, champion):
    rules = {"price_max": "20", "pinned": ["i7"], "not_items": ["i0", "i2"], "diversity": 0.7}
    answer = ask(program, customers=["c0", "stranger"], count=30, rules=rules)
    for place in (0, 1):
        found = items_of(answer, place)
        assert found[0] == "i7"  # c0 likes even items and bought no odd one
        assert {int(item[1:]) for item in found} <= set(range(20)) - {0, 2}
        assert answer.json()["recommendations"][place]["items"][0]["reason_kind"] == "pinned"
    assert len(items_of(answer, 1)) == 18


def test_only_what_was_bought_and_the_short_form_of_it(program, champion, shop):
    customers, items = shop
    bought = Event.objects.filter(customer=customers[0], name="Order Line")
    bought = {f"i{items.index(event.item)}" for event in bought.select_related("item")}
    assert set(items_of(ask(program, customers=["c0"], count=30, rules={"bought": "only"}))) == bought
    everything = set(items_of(ask(program, customers=["c0"], count=30, exclude_bought=False)))
    assert len(everything) == 30
    assert set(items_of(ask(program, customers=["c0"], count=30, exclude_bought=True))) == everything - bought


def test_every_mistake_is_named_at_once_with_its_place(program, shop):
    answer = ask(
        program, customers=["c0"], count=101,
        context={"current_item": "gone", "cart": ["i1", "lost", {}], "device": "toaster", "time": "soon"},
        rules={"pinned": ["i1", "none such"], "not_items": "i1", "bought": "perhaps", "price_min": -1,
               "diversity": 0, "not_in_last_messages": 3, "colour": "red"},
    )  # fmt: skip
    assert answer.status_code == 400
    errors = {error["pointer"]: error["detail"] for error in answer.json()["errors"]}
    assert errors.keys() == {
        "/count", "/context/cart/2", "/context/device", "/context/time",
        "/rules/pinned/1", "/rules/not_items", "/rules/bought", "/rules/price_min", "/rules/diversity",
        "/rules/not_in_last_messages", "/rules/colour",
    }  # fmt: skip
    assert errors["/rules/pinned/1"] == "There is no item “none such”."


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"context": {"cart": ["i1", "lost", 3.5, {}]}}, "/context/cart/3"),
        ({"context": {"current_item": "i\ud800"}}, "/context/current_item"),
        ({"context": []}, "/context"),
        ({"rules": []}, "/rules"),
        ({"rules": {"pinned": [3]}}, "/rules/pinned"),
        ({"rules": {"brands": ["\ud800"]}}, "/rules/brands/0"),
        ({"rules": {"price_min": 2, "price_max": 1}}, "/rules/price_max"),
        ({"rules": {"bought": "only"}, "exclude_bought": True}, "/exclude_bought"),
    ],
)
def test_a_wrong_context_or_rule_is_answered_with_the_place(program, shop, body, pointer):
    answer = ask(program, customers=["c0"], **body)
    assert answer.status_code == 400, answer.content
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


def test_items_of_the_context_that_we_do_not_know_yet_are_left_out_and_named(program, champion):
    known = {"current_item": "i3", "cart": ["i1"]}
    ahead = {"current_item": "i3", "cart": ["new today", "i1", "i1 "]}
    asked, answer = (ask(program, customers=["stranger"], context=one) for one in (known, ahead))
    assert items_of(answer) == items_of(asked) and asked.json()["ignored"] == []
    assert answer.json()["ignored"] == [
        {"pointer": "/context/cart/0", "detail": "There is no item “new today”."}
    ]
    answer = ask(program, customers=["stranger"], context={"current_item": "gone"})
    assert answer.json()["ignored"] == [
        {"pointer": "/context/current_item", "detail": "There is no item “gone”."}
    ]
    assert {found["reason_kind"] for found in answer.json()["recommendations"][0]["items"]} == {"popular"}


def test_a_hundred_customers_take_as_many_queries_as_one(program, champion, shop):
    ask(program, customers=["c0"])
    customers, _ = shop
    Identifier.objects.create(customer=customers[0], kind="user_id", value="before a merge")
    with CaptureQueriesContext(connection) as queries:
        answer = ask(program, customers=[f"c{n}" for n in range(20)] + ["before a merge"])
    with CaptureQueriesContext(connection) as fewer:
        ask(program, customers=["c3", "before a merge"])
    assert len(queries) == len(fewer)
    assert items_of(answer, 20) == items_of(answer, 0)


def test_the_model_named_is_the_one_of_that_use(program, champion, shop):
    again = services.train(algorithm="repurchase", parameters={}, repeats=True)
    services.run_training(again.pk)
    services.promote(again, actor="test", reason="a test")
    assert ask(program, customers=["c0"]).json()["model"]["id"] == champion.pk
    assert ask(program, customers=["c0"], rules={"bought": "only"}).json()["model"]["id"] == again.pk


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/customers"),
        ({"customers": []}, "/customers"),
        ({"customers": ["c0"] * 101}, "/customers"),
        ({"customers": ["c0"], "count": 0}, "/count"),
        ({"customers": ["c0\0"]}, "/customers/0"),
    ],
)
def test_a_wrong_body_is_answered_with_the_place(program, shop, body, pointer):
    answer = ask(program, **body)
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["errors"][0]["pointer"] == pointer


def test_a_key_needs_the_scope(shop):
    assert ask(Client(), customers=["c0"]).status_code == 401
    _, token = create_key(name="other", scopes=[Scope.INGEST])
    other = Client(headers={"authorization": f"Bearer {token}"})
    assert ask(other, customers=["c0"]).status_code == 403
