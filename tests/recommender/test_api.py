import pytest
from django.test import Client

from personalization.access.models import Scope
from personalization.access.services import create_key
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
