"""The campaigns API: plan, launch, steer, watch; each call needs its scope."""

from typing import Any

import pytest
from django.test import Client

from campaigns import tasks
from campaigns.models import Campaign, Message
from personalization.access.services import create_key
from personalization.catalog.models import Item
from personalization.segments.services import save_segment

pytestmark = pytest.mark.django_db
BODY = '<p>Hello {{ customer.first_name }}</p><a href="{{ unsubscribe_url }}">Unsubscribe</a>'


@pytest.fixture(autouse=True)
def no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "wake", lambda: None)


class Caller:
    def __init__(self, *scopes: str) -> None:
        self.headers = {"Authorization": f"Bearer {create_key(name='test', scopes=scopes)[1]}"}

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        call = getattr(Client(), method)
        return call(f"/api/v1{path}", body, content_type="application/json", headers=self.headers)


@pytest.fixture
def write() -> Caller:
    return Caller("campaigns:read", "campaigns:write")


def body(**fields: Any) -> dict[str, Any]:
    version = save_segment(
        None, name=fields.pop("segment_name", "British"),
        definition={"trait": "country", "op": "in", "value": ["GB"]},
    )  # fmt: skip
    return {
        "name": "Spring", "segment": version.segment_id, "sender_name": "Shop",
        "sender_address": "shop@shop.example", "control_share": 0,
        "messages": [{"key": "a", "subject": "Hi", "body": BODY}], **fields,
    }  # fmt: skip


def test_a_campaign_is_planned_launched_and_watched(write: Caller, make_customers: Any) -> None:
    make_customers(3)
    created = write("post", "/campaigns", body())
    assert created.status_code == 201, created.content
    pk = created.json()["id"]
    assert write("get", f"/campaigns/{pk}/progress").status_code == 409
    launched = write("post", f"/campaigns/{pk}/launch", {})
    assert launched.status_code == 202 and launched.json()["status"] == "launched"
    again = write("post", f"/campaigns/{pk}/launch", {})
    assert again.status_code == 409 and again["Content-Type"] == "application/problem+json"
    progress = write("get", f"/campaigns/{pk}/progress").json()
    assert progress["audience"] == progress["pending"] == 3
    rows = write("get", f"/campaigns/{pk}/deliveries?page_size=2").json()
    assert [row["customer"] for row in rows["results"]] == ["c0", "c1"] and rows["next"]
    assert write("get", f"/campaigns/{pk}/deliveries?status=nonsense").status_code == 400
    assert write("post", f"/campaigns/{pk}/pause").json()["status"] == "paused"
    assert write("post", f"/campaigns/{pk}/resume").json()["status"] == "sending"
    assert write("post", f"/campaigns/{pk}/cancel").json()["reasons"] == {"canceled": 3}
    assert write("post", f"/campaigns/{pk}/retry").status_code == 409


def test_when_nothing_is_said_a_tenth_is_kept_out_and_nobody_who_waits_for_a_message(write: Caller) -> None:
    fields = body()
    del fields["control_share"]
    assert write("post", "/campaigns", fields).json()["control_share"] == 0.1
    made = write("post", "/campaigns", {**fields, "kind": "triggered", "segment": None}).json()
    assert made["control_share"] == 0


def test_who_names_no_sender_writes_from_the_address_of_the_shop(
    write: Caller, make_customers: Any, settings: Any
) -> None:
    settings.DEFAULT_SENDER = "hello@shop.example"
    make_customers(1)
    fields = body()
    del fields["sender_address"]
    created = write("post", "/campaigns", fields).json()
    assert created["sender_address"] == "hello@shop.example"
    assert write("post", f"/campaigns/{created['id']}/launch", {}).status_code == 202
    emptied = write("post", "/campaigns", fields | {"sender_address": ""}).json()
    refused = write("post", f"/campaigns/{emptied['id']}/launch", {})
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/sender_address"]


def test_a_launched_campaign_is_not_changed_any_more(write: Caller, make_customers: Any) -> None:
    make_customers(1)
    fields = body()
    pk = write("post", "/campaigns", fields).json()["id"]
    fields["messages"].append({"key": "b", "subject": "Ho", "body": BODY})
    changed = write("put", f"/campaigns/{pk}", fields)
    assert changed.status_code == 200 and len(changed.json()["messages"]) == 2
    write("post", f"/campaigns/{pk}/launch", {})
    assert write("put", f"/campaigns/{pk}", fields).status_code == 409


def test_a_campaign_can_be_scheduled(write: Caller, make_customers: Any) -> None:
    make_customers(1)
    pk = write("post", "/campaigns", body()).json()["id"]
    scheduled = write("post", f"/campaigns/{pk}/launch", {"at": "2030-01-01T09:00:00Z"})
    assert scheduled.json()["status"] == "scheduled" and Campaign.objects.get().runs.count() == 0


def test_what_is_missing_is_named(write: Caller) -> None:
    pk = write("post", "/campaigns", body(messages=[])).json()["id"]
    problem = write("post", f"/campaigns/{pk}/launch", {}).json()
    assert problem["status"] == 422
    assert {error["pointer"] for error in problem["errors"]} == {"/segment", "/messages"}
    wrong = write("post", "/campaigns", body(segment_name="Other", control_share=2)).json()
    assert [error["pointer"] for error in wrong["errors"]] == ["/control_share"]


def test_the_rules_of_a_message_travel_as_json_with_the_shops_ids(write: Caller) -> None:
    Item.objects.bulk_create(Item(external_id=f"i{n}", name=f"Item {n}") for n in range(3))
    rules = {"bought": "allow", "pinned": ["i2"], "not_items": ["i0"], "price_max": "9.50",
             "not_in_last_messages": 2, "diversity": 0.7}  # fmt: skip
    message = {"key": "a", "subject": "Hi", "body": BODY, "item_count": 4, "rules": rules}
    created = write("post", "/campaigns", body(messages=[message])).json()
    assert created["messages"][0]["rules"] == rules and created["messages"][0]["item_count"] == 4
    assert write("get", f"/campaigns/{created['id']}").json()["messages"] == created["messages"]
    assert Message.objects.get().rules["pinned"] == [Item.objects.get(external_id="i2").pk]
    plain = write("post", "/campaigns", body(segment_name="Other")).json()["messages"][0]
    assert plain["rules"] == {} and plain["item_count"] == 6


def test_wrong_rules_are_named_with_their_places(write: Caller) -> None:
    message = {"key": "a", "subject": "Hi", "body": BODY, "item_count": 51,
               "rules": {"pinned": ["lost"], "bought": "never", "price_min": 2, "price_max": 1}}  # fmt: skip
    problem = write("post", "/campaigns", body(messages=[message])).json()
    assert problem["status"] == 400
    assert {error["pointer"] for error in problem["errors"]} == {
        "/messages/0/item_count", "/messages/0/rules/pinned/0", "/messages/0/rules/bought",
        "/messages/0/rules/price_max",
    }  # fmt: skip


def test_a_key_that_may_only_read_changes_nothing(make_customers: Any) -> None:
    read = Caller("campaigns:read")
    assert read("get", "/campaigns").status_code == 200
    assert read("post", "/campaigns", body()).status_code == 403
    assert read("post", "/campaigns/1/launch", {}).status_code == 403
    assert Caller("segments:read")("get", "/campaigns").status_code == 403


def test_a_message_in_several_languages_goes_out_and_in_again(write: Caller) -> None:
    texts = {"zh_Hant": {"subject": "您好", "body": BODY, "fields": {}}, "de": {"subject": "Hallo"}}
    message = {"key": "a", "subject": "Hi", "body": BODY, "translations": texts}
    created = write("post", "/campaigns", body(messages=[message]))
    assert created.status_code == 201, created.content
    kept = {"zh-hant": {"subject": "您好", "body": BODY}, "de": {"subject": "Hallo"}}
    assert created.json()["messages"][0]["translations"] == kept
    pk = created.json()["id"]
    again = write("put", f"/campaigns/{pk}", write("get", f"/campaigns/{pk}").json())
    assert again.status_code == 200 and again.json()["messages"][0]["translations"] == kept
    wrong = body(segment_name="B", messages=[{**message, "translations": {"chinese!": {"subject": "x"}}}])
    answer = write("post", "/campaigns", wrong)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/messages/0/translations/chinese!"
