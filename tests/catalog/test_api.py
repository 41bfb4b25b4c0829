"""Items added and changed by programs."""

import json
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from personalization.access.models import Scope
from personalization.access.services import create_key
from personalization.catalog.models import Item

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    token = create_key(name="shop", scopes=[Scope.IMPORTS, Scope.RECOMMENDATIONS])[1]
    return Client(headers={"authorization": f"Bearer {token}"})


def save(client: Client, *items: Any) -> Any:
    return client.post("/api/v1/items", json.dumps({"items": items}), content_type="application/json")


def test_a_new_item_is_added_and_a_known_one_keeps_what_is_not_told(client: Client) -> None:
    tea = {
        "external_id": "tea", "name": "Green Tea", "price": 14.95, "currency": "eur", "stock": 3,
        "categories": ["Tea", "Green"], "is_hidden": True, "attributes": {"leaf": "whole"},
    }  # fmt: skip
    first = save(client, tea).json()
    assert first == {"new": 1, "changed": 0, "unchanged": 0, "rejected": []}
    told = {"external_id": "tea", "stock": 0, "name": "", "attributes": {"text": "loose"}}
    assert save(client, told, {"external_id": "cup"}).json() == {
        "new": 1, "changed": 1, "unchanged": 0, "rejected": [],
    }  # fmt: skip
    item = Item.objects.get(external_id="tea")
    assert (item.name, item.price, item.currency, item.stock) == ("Green Tea", Decimal("14.95"), "EUR", 0)
    assert (item.categories, item.is_hidden) == (["Tea", "Green"], True)
    assert item.attributes == {"leaf": "whole", "text": "loose"} and item.description == ""
    assert Item.objects.get(external_id="cup").name == "cup"


def test_what_was_got_may_be_sent_back_and_changes_nothing(client: Client) -> None:
    save(client, {"external_id": "tea", "price": "14.95", "attributes": {"leaf": "whole"}})
    got = client.get("/api/v1/items").json()["results"]
    assert save(client, *got).json() == {"new": 0, "changed": 0, "unchanged": 1, "rejected": []}


def test_an_item_that_cannot_be_read_is_told_and_holds_up_no_other(client: Client) -> None:
    wrong = [
        {"external_id": "a", "price": "cheap"}, {"name": "nobody"}, {"external_id": "b", "prize": 3},
        {"external_id": "c", "name": {"en": "C"}}, {"external_id": "d", "attributes": [1]},
    ]  # fmt: skip
    answer = save(client, *wrong, {"external_id": "good"}).json()
    assert answer["new"] == 1 and list(Item.objects.values_list("external_id", flat=True)) == ["good"]
    assert [(one["index"], one["reason"]) for one in answer["rejected"]] == [
        (0, "price: not an amount"), (1, "external_id: missing"),
        (2, "prize: There is no such field. Did you mean “price”?"), (3, "name: not a text"),
        (4, "attributes: not a JSON object"),
    ]  # fmt: skip


def test_a_body_without_items_or_with_too_many_is_refused(client: Client) -> None:
    assert save(client).status_code == 400
    assert save(client, *[{"external_id": "x"}] * 1001).status_code == 400
    assert save(client, "tea").status_code == 400


def test_reading_items_does_not_allow_to_change_them() -> None:
    token = create_key(name="page", scopes=[Scope.RECOMMENDATIONS])[1]
    reader = Client(headers={"authorization": f"Bearer {token}"})
    assert save(reader, {"external_id": "tea"}).status_code == 403
    assert not Item.objects.exists()
