"""A test key: what it triggers runs through the whole chain, nothing leaves the house, and nothing counts."""

from datetime import time
from typing import Any

import pytest
from django.utils import timezone

from campaigns import channels, selectors, services
from campaigns.journeys import calling, passing
from campaigns.journeys import services as journeys
from campaigns.journeys.selectors import counts
from campaigns.models import Delivery, FrequencyCap, Passage, QuietHours, Run, Touch, WebhookCall
from campaigns.services import MessageDraft
from campaigns.timeline_sources import MessageEntries
from campaigns.transport import sandbox
from campaigns.transport.http import Call, HttpLine
from campaigns.transport.session import Outgoing
from campaigns.why.rerender import rerender
from experiments.models import Assignment, HoldoutMember
from experiments.services import ensure_default_metrics
from experiments.traffic import holdouts
from personalization.access.models import AuditEntry, User
from personalization.access.services import create_key
from personalization.customers.models import Customer
from personalization.events.models import Event

pytestmark = pytest.mark.django_db(transaction=True)
BODY = '<p>Order {{ trigger.order }}</p><a href="{{ unsubscribe_url }}">x</a>'
CALL = {"idempotency_key": "1", "recipients": [{"customer": "c0", "variables": {"order": "A7"}}]}
SCOPES = ["campaigns:read", "campaigns:write", "customers:read", "customers:write", "ingest", "decide"]


def headers(*, is_test: bool = True) -> dict[str, str]:
    token = create_key(name="k", scopes=SCOPES, is_test=is_test)[1]
    return {"authorization": f"Bearer {token}"}


@pytest.fixture
def campaign() -> Any:
    made = services.save_campaign(
        None, name="Order", segment=None, kind="triggered", control_share=0.0, actor="test",
        sender_address="shop@shop.example", sender_name="Shop",
        messages=[MessageDraft(key="a", subject="Order {{ trigger.order }}", body=BODY)],
    )  # fmt: skip
    services.launch(made, actor="test")
    return made


def test_a_test_message_is_made_whole_and_leaves_no_trace_but_its_own(
    client: Any, sink: Any, make_customers: Any, campaign: Any, send_all: Any
) -> None:
    make_customers(1)
    holdouts.create_holdout(key="few", name="Few", share=0.001, at=timezone.now(), actor="test")
    FrequencyCap.objects.create(max_messages=1, window_hours=24)
    url = f"/api/v1/campaigns/{campaign.pk}/trigger"
    answer = client.post(url, CALL, "application/json", headers=headers())
    assert answer.status_code == 202 and answer["Bespoke-Test"] == "true" and answer.json()["is_test"]

    run = Run.everything.get(is_test=True)
    send_all(run)
    delivery = Delivery.everything.get()
    assert (delivery.status, delivery.detail) == ("sent", sandbox.TEST_DETAIL)
    assert b"Subject: Order A7" in rerender(delivery).plain
    assert sink.connections == 0
    # Nothing that counts, limits, learns or tells has seen it.
    assert not Delivery.objects.exists() and list(Run.objects.all()) == [campaign.runs.get()]
    assert not Event.objects.exists() and not Touch.objects.exists() and not Assignment.objects.exists()
    assert not HoldoutMember.objects.filter(entered_at__gt=run.launched_at).exists()
    assert selectors.progress(campaign.runs.get())["audience"] == 0
    assert not MessageEntries().rows(delivery.customer_id or 0).exists()

    # The same call with a live key is another one, and the cap has room for it.
    assert client.post(url, CALL, "application/json", headers=headers(is_test=False)).status_code == 202
    send_all(campaign.runs.get())
    assert sink.recipients == {"c0@example.com": 1}
    assert Event.objects.filter(name="Message Sent").count() == 1


def test_a_choice_that_learns_can_be_made_in_a_test_message(
    client: Any, sink: Any, make_customers: Any, send_all: Any
) -> None:
    make_customers(1)
    ensure_default_metrics()
    body = '{% vary "hero" learn: true %}<p>A</p>{% or %}<p>B</p>{% endvary %}' + BODY
    made = services.save_campaign(
        None, name="Order", segment=None, kind="triggered", control_share=0.0, actor="test",
        sender_address="shop@shop.example", sender_name="Shop",
        messages=[MessageDraft(key="a", subject="Order", body=body)],
    )  # fmt: skip
    services.launch(made, actor="test")
    url = f"/api/v1/campaigns/{made.pk}/trigger"
    assert client.post(url, CALL, "application/json", headers=headers()).status_code == 202
    send_all(Run.everything.get(is_test=True))
    assert Delivery.everything.get().status == "sent"


@pytest.mark.parametrize("name", channels.names())
def test_no_channel_hands_a_test_over(name: str) -> None:
    """Every sender passes `hand_over`; a session that is silent is not asked to send."""
    session, noted = channels.get(name).session(), []
    session.is_silent = True
    session.send = lambda *_args, **_kwargs: pytest.fail("sent")  # type: ignore[method-assign]
    answer = sandbox.hand_over(session, Outgoing("", "", b""), intent=lambda: noted.append(1))
    assert (answer.kind, answer.detail, noted) == ("sent", sandbox.TEST_DETAIL, [1])


def test_no_call_of_a_test_goes_out() -> None:
    # The port of “discard”: a connection would be refused.
    call = Call("https://192.0.2.1:9/", b"{}", is_test=True)
    assert HttpLine(timeout=1).exchange(call, intent=lambda: None).status == 200


def test_a_test_passes_through_a_journey_beside_the_real_one(
    client: Any, sink: Any, make_customers: Any, campaign: Any, send_all: Any
) -> None:
    person = make_customers(1)[0]
    nodes = {
        "mail": {"kind": "message", "params": {"campaign": campaign.pk}, "next": {"done": "tell"}},
        "tell": {
            "kind": "webhook", "params": {"url": "https://192.0.2.1:9/hook"}, "next": {"done": "mark"},
        },
        "mark": {"kind": "trait", "params": {"trait": "tier", "value": "gold"}, "next": {"done": None}},
    }  # fmt: skip
    graph = {"entry": {"kind": "api", "params": {}}, "start": "mail", "nodes": nodes, "exits": []}
    journey = journeys.save_journey(None, name="Orders", graph=graph, actor="test")
    journeys.publish(journey, actor="test")
    enter = f"/api/v1/journeys/{journey.pk}/enter"
    for is_test in (True, False):
        answer = client.post(enter, CALL, "application/json", headers=headers(is_test=is_test))
        assert answer.json() == {"entered": 1}
    passing.run_due(now=timezone.now())

    assert counts(journey)["entered"] == 1 and counts(journey)["nodes"]["mail"]["passed"] == 1
    test = Passage.everything.get(is_test=True)
    assert test.status == "finished"
    people = client.get(f"/api/v1/journeys/{journey.pk}/people", headers=headers()).json()["results"]
    assert {one["id"] for one in people if one["is_test"]} == {test.pk} and len(people) == 2
    assert Delivery.everything.get(occurrence=test.pk).is_test
    assert test.steps.get(node="mark").detail == "test: not written"
    assert Customer.objects.get(pk=person.pk).traits == {"tier": "gold"}  # by the real one
    WebhookCall.objects.filter(passage__is_test=False).delete()
    assert calling.make_due_calls() == 1
    assert WebhookCall.objects.get().status == "done"
    send_all(Run.everything.get(is_test=True))
    assert sink.connections == 0


def test_closing_the_run_closes_that_of_the_tests(
    client: Any, sink: Any, make_customers: Any, campaign: Any, send_all: Any
) -> None:
    make_customers(1)
    url = f"/api/v1/campaigns/{campaign.pk}/trigger"
    client.post(url, CALL, "application/json", headers=headers())
    services.close(campaign.runs.get(), actor="test")
    run = Run.everything.get(is_test=True)
    send_all(run)
    assert run.status == "finished"
    again = {**CALL, "idempotency_key": "2"}
    assert client.post(url, again, "application/json", headers=headers()).status_code == 409


def test_it_can_be_looked_at_and_says_that_it_is_a_test(
    client: Any, sink: Any, make_customers: Any, campaign: Any, send_all: Any
) -> None:
    make_customers(1)
    mine = headers()
    client.post(f"/api/v1/campaigns/{campaign.pk}/trigger", CALL, "application/json", headers=mine)
    send_all(Run.everything.get(is_test=True))
    delivery = Delivery.everything.get()
    why = client.get(f"/api/v1/campaigns/{campaign.pk}/why?customer=c0", headers=mine).json()
    assert (why["is_test"], why["delivery"]) == (True, delivery.pk)
    assert why["decisions"][-1]["sentence"] == "Made, and handed over to nobody."
    live = headers(is_test=False)
    why = client.get(f"/api/v1/campaigns/{campaign.pk}/why?customer=c0", headers=live).json()
    assert (why["is_test"], why["delivery"]) == (False, None)
    client.force_login(User.objects.create_superuser("ada"))
    report = client.get(f"/app/campaigns/{campaign.pk}/report/").content.decode()
    assert "Triggered with test keys" in report
    page = client.get(f"/app/campaigns/{campaign.pk}/runs/1/why/?customer={delivery.customer_id}&test")
    assert "b-badge-test" in page.content.decode() and "The message as it was made" in page.content.decode()
    page = client.get(f"/app/campaigns/deliveries/{delivery.pk}/")
    assert "handed over to nobody" in page.content.decode()


def test_events_are_checked_and_not_kept(client: Any) -> None:
    good = {"type": "track", "userId": "new", "event": "Order Completed", "properties": {"revenue": 5}}
    answer = client.post("/v1/track", good, "application/json", headers=headers())
    assert (answer.status_code, answer.json(), answer["Bespoke-Test"]) == (200, {"success": True}, "true")
    bad = {"type": "track", "event": "Order Completed"}
    assert client.post("/v1/track", bad, "application/json", headers=headers()).status_code == 400
    key = create_key(name="k", scopes=["ingest"], is_test=True)[1]
    answer = client.post("/v1/batch", {"batch": [good, bad], "writeKey": key}, "application/json")
    assert answer["Bespoke-Test"] == "true" and [one["index"] for one in answer.json()["errors"]] == [1]
    assert not Event.objects.exists() and not Customer.objects.exists()


def test_elsewhere_a_test_key_reads_and_changes_nothing(client: Any, make_customers: Any) -> None:
    make_customers(1)
    mine = headers()
    assert client.get("/api/v1/customers/c0", headers=mine).status_code == 200
    answer = client.patch("/api/v1/customers/c0", {"traits": {"a": 1}}, "application/json", headers=mine)
    assert answer.status_code == 403 and "live key" in answer.json()["detail"]
    assert client.post("/api/v1/decide/reports", {}, "application/json", headers=mine).status_code == 400


def test_a_test_key_shows_what_it_is_and_is_made_on_the_pages(client: Any) -> None:
    client.force_login(User.objects.create_superuser("ada"))
    page = client.post("/app/connect/", {"test": ""}).content.decode()
    assert "bsp_test_" in page and "b-badge-test" in page
    form = {"name": "Try", "scopes": ["ingest"], "is_test": "on", "expires_at_0": "", "expires_at_1": ""}
    assert "bsp_test_" in client.post("/admin/access/apikey/add/", form, follow=True).content.decode()
    made = AuditEntry.objects.filter(action="key.created").values_list("target", flat=True)
    assert all(target.startswith("key:test_") for target in made) and len(made) == 2


def test_no_hour_of_rest_holds_a_test_back(
    client: Any, sink: Any, make_customers: Any, campaign: Any, send_all: Any
) -> None:
    """Who tries at night wants to see the message, not that it waits for the morning."""
    make_customers(1)
    QuietHours.objects.create(starts_at=time(0), ends_at=time(23, 59))
    url = f"/api/v1/campaigns/{campaign.pk}/trigger"
    client.post(url, CALL, "application/json", headers=headers())
    send_all(Run.everything.get(is_test=True))
    assert Delivery.everything.get().status == "sent"
