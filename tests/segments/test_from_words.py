# ruff: noqa: E501, F811
"""A sentence to a definition, by a server that speaks the protocol: read strictly, approved by a person."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.cache import cache
from django.urls import reverse

from personalization.access.models import Scope, User
from personalization.access.services import create_key
from personalization.customers.models import Customer
from personalization.events.services import NewEvent, record_events
from personalization.language_model import calls
from personalization.language_model.errors import ModelOff, UnfitQuestion
from personalization.language_model.models import Call, CallStatus, Endpoint
from personalization.segments.from_words import ask_for_definition
from personalization.segments.models import Segment
from tests.language_model.conftest import completion, endpoint, model_server  # noqa: F401

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 26, tzinfo=UTC)
GOOD = {
    "all": [
        {"event": "Order Completed", "is": "at_least", "value": 3, "window": {"last_days": 90}},
        {"trait": "city", "op": "is", "value": "London"},
    ]
}


@pytest.fixture
def model(model_server: Any, endpoint: Endpoint) -> Any:
    cache.delete("segments:fields")
    customer = Customer.objects.create(
        external_id="c1", email="ann@lovelace.example", city="Corkshire", traits={"plan": "goldplan"},
        created_at=NOW,
    )  # fmt: skip
    record_events([NewEvent(customer.pk, "m1", "Order Completed", NOW, properties={"coupon": "secretcode"})])
    endpoint.save()
    yield model_server
    cache.delete("segments:fields")


def ask(model: Any, answer: Any, sentence: str = "Bought three times lately and lives in London") -> Call:
    content = answer if isinstance(answer, str) else json.dumps(answer)
    model.answer = completion(content)
    call = ask_for_definition(sentence, actor="user:kim", now=NOW)
    calls.carry_out(call.pk)
    call.refresh_from_db()
    return call


def test_a_valid_definition_comes_back_with_its_sentence_and_nothing_is_saved(model: Any) -> None:
    call = ask(model, {"definition": GOOD})
    assert call.result == {
        "definition": GOOD,
        "sentence": "Customers where the number of “Order Completed” in the last 90 days is at least 3 and city is “London”.",
    }
    assert Segment.objects.count() == 0


def test_names_are_sent_and_no_values(model: Any) -> None:
    ask(model, {"definition": GOOD})
    sent = json.dumps(model.asked)
    data = json.loads(model.asked[0]["messages"][1]["content"])
    assert data["traits"]["plan"] == "text"
    assert data["events"] == {"Order Completed": ["coupon"]}
    assert data["today"] == "2026-11-26"
    assert not any(word in sent for word in ("lovelace", "Corkshire", "goldplan", "secretcode"))


WRONG = {
    "no JSON": "Sure! Here it is.",
    "no object": "[1]",
    "nothing": "{}",
    "an unknown operator": {"definition": {"trait": "city", "op": "resembles", "value": "x"}},
    "an unknown shape": {"definition": {"sql": "1=1; DROP TABLE customers_customer"}},
    "an unknown trait": {"definition": {"trait": "shoe_size", "op": "is", "value": 9}},
    "an unknown event": {"definition": {"event": "Order Complete", "is": "at_least", "value": 1}},
    "an unknown event of a sequence": {
        "definition": {"sequence": [{"event": "Order Completed"}, {"event": "X"}], "within_days": 1}
    },
    "a segment that is not there": {"definition": {"segment": 999_999}},
    "an endless number": '{"definition": {"trait": "city", "op": "is", "value": NaN}}',
    "a deep one": {"definition": {"not": {"not": {"not": {"not": {"not": {"not": {"not": {"not": GOOD}}}}}}}}},
    "a broad one": {"definition": {"all": [GOOD["all"][1]] * 300}},
    "an endless one": '{"definition": ' + '{"not": ' * 10_000,
    "why not": {"cannot": "Nothing is known about shoes. <script>alert(1)</script>"},
}  # fmt: skip


@pytest.mark.parametrize("answer", WRONG.values(), ids=WRONG)
def test_what_is_no_definition_over_known_names_is_refused_with_the_reason(model: Any, answer: Any) -> None:
    call = ask(model, answer)
    assert (call.status, call.result) == (CallStatus.REFUSED, None)
    assert call.trouble


@pytest.mark.parametrize("sentence", ["", "  ", "x" * 1_001, "is ann@lovelace.example"])
def test_what_is_no_sentence_is_not_asked(model: Any, sentence: str) -> None:
    with pytest.raises(UnfitQuestion):
        ask_for_definition(sentence, actor="user:kim")
    assert model.asked == []


def test_it_is_off_without_a_language_model() -> None:
    with pytest.raises(ModelOff):
        ask_for_definition("Everybody", actor="user:kim")


def test_the_builder_asks_and_is_told(model: Any, client: Any) -> None:
    user = User.objects.create_user("kim", is_staff=True)
    client.force_login(user)
    url = reverse("segments:from-words")
    assert client.post(url, {"sentence": "x"}, content_type="application/json").status_code == 403
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_segment", "add_segment"]))
    assert url in client.get(reverse("segments:new")).content.decode()
    model.answer = completion(json.dumps({"definition": GOOD}))
    answer = client.post(url, {"sentence": "Loyal Londoners"}, content_type="application/json").json()
    assert answer["waiting"]
    calls.carry_out(Call.objects.get().pk)
    assert client.get(answer["url"]).json()["result"]["definition"] == GOOD
    refused = client.post(url, {"sentence": ""}, content_type="application/json")
    assert (refused.status_code, refused["Content-Type"]) == (422, "application/problem+json")
    Endpoint.objects.update(is_active=False)
    assert url not in client.get(reverse("segments:new")).content.decode()


def test_the_api_asks_and_is_told(model: Any, client: Any) -> None:
    key = create_key(name="x", scopes=[Scope.SEGMENTS_READ, Scope.SEGMENTS_WRITE])[1]
    headers = {"HTTP_AUTHORIZATION": f"Bearer {key}", "content_type": "application/json"}
    model.answer = completion(json.dumps({"definition": GOOD}))
    answer = client.post("/api/v1/segments/from-words", {"sentence": "Loyal Londoners"}, **headers)
    assert (answer.status_code, answer.json()["result"]) == (202, None)
    calls.carry_out(answer.json()["id"])
    told = client.get(f"/api/v1/segments/from-words/{answer.json()['id']}", **headers).json()
    assert (told["status"], told["result"]["definition"]) == ("done", GOOD)
