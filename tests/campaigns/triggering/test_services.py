"""Messages that another program sets off, once per key."""

import threading
from typing import Any

import pytest
from django.db import connections

from campaigns import services
from campaigns.models import Delivery, TopicRule
from campaigns.services import MessageDraft
from campaigns.triggering.services import trigger
from personalization.access.services import create_key
from personalization.customers.services import record_consent

pytestmark = pytest.mark.django_db(transaction=True)
BODY = '<p>Order {{ trigger.order }}</p><a href="{{ unsubscribe_url }}">x</a>'


@pytest.fixture
def campaign() -> Any:
    made = services.save_campaign(
        None, name="Order", segment=None, kind="triggered", topic="orders", control_share=0.0, actor="test",
        sender_address="shop@shop.example",
        messages=[MessageDraft(key="a", subject="Order {{ trigger.order }}", body=BODY)],
    )  # fmt: skip
    services.launch(made, actor="test")
    return made


@pytest.fixture
def call(client: Any, campaign: Any) -> Any:
    _key, token = create_key(name="k", scopes=["campaigns:read", "campaigns:write"])

    def post(body: dict[str, Any]) -> Any:
        return client.post(
            f"/api/v1/campaigns/{campaign.pk}/trigger", body, "application/json",
            headers={"authorization": f"Bearer {token}"},
        )  # fmt: skip

    return post


def test_each_gets_their_own_variables_and_a_key_counts_once(
    sink: Any, make_customers: Any, campaign: Any, call: Any, send_all: Any
) -> None:
    TopicRule.objects.create(topic="orders", needs_consent=False, ignores_caps=True)
    make_customers(2, consent=False, email="home@example.com")
    body = {
        "idempotency_key": "1",
        "recipients": [{"customer": f"c{n}", "variables": {"order": f"A{n}"}} for n in range(2)],
    }
    first, again = call(body), call(body)
    assert first.status_code == 202 and again.status_code == 200
    assert first.json()["deliveries"] == again.json()["deliveries"] and not again.json()["is_new"]
    assert call({**body, "variables": {"x": 1}}).status_code == 409
    assert call({**body, "idempotency_key": "2"}).status_code == 202
    send_all(campaign.runs.get())
    # Two customers of one mailbox both get their order's message, each time of their own.
    assert sink.recipients == {"home@example.com": 4} and len(sink.message_ids) == 4
    assert campaign.runs.get().audience_size == 4


def test_a_no_is_a_no_also_where_silence_is_a_yes(make_customers: Any, campaign: Any, call: Any) -> None:
    TopicRule.objects.create(topic="orders", needs_consent=False)
    people = make_customers(1, consent=False)
    record_consent(people[0].pk, channel="email", topic="orders", granted=False, source="test")
    answer = call({"idempotency_key": "1", "recipients": [{"customer": "c0"}]})
    assert [one["reason"] for one in answer.json()["deliveries"]] == ["no_consent"]


def test_an_unknown_recipient_stops_the_whole_call(make_customers: Any, call: Any) -> None:
    make_customers(1)
    answer = call({"idempotency_key": "1", "recipients": [{"customer": "c0"}, {"customer": "who"}]})
    assert answer.status_code == 400 and "who" in answer.content.decode()
    assert Delivery.objects.count() == 0


def test_the_same_call_at_the_same_time_sends_once(make_customers: Any, campaign: Any) -> None:
    person = make_customers(1)[0]
    found: list[bool] = []

    def once() -> None:
        found.append(trigger(campaign, [(person.pk, {})], key="1", actor="test").is_new)
        connections.close_all()

    threads = [threading.Thread(target=once) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [False, False, False, True] and Delivery.objects.count() == 1


def test_a_closed_run_takes_nobody_in_and_finishes(
    make_customers: Any, campaign: Any, call: Any, send_all: Any
) -> None:
    make_customers(1)
    run = campaign.runs.get()
    services.close(run, actor="test")
    assert call({"idempotency_key": "1", "recipients": [{"customer": "c0"}]}).status_code == 409
    send_all(run)
    assert run.status == "finished"
