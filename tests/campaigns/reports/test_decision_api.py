"""Outlook, decision and plan over the API."""

import json
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from campaigns import services
from campaigns.models import Delivery
from campaigns.rollout import winner
from experiments.models import Plan
from experiments.services import ensure_default_metrics
from personalization.access.services import create_key
from personalization.customers.models import Customer
from personalization.events.services import NewEvent, record_events

pytestmark = pytest.mark.django_db(transaction=True)
BODY = '<p>Hello</p><a href="{{ unsubscribe_url }}">Unsubscribe</a>'


@pytest.fixture
def call(client):
    def send(method, path, body=None, scopes=("campaigns:read", "campaigns:write")):
        _key, token = create_key(name="test", scopes=scopes)
        return client.generic(
            method, f"/api/v1/campaigns{path}", json.dumps(body) if body is not None else "",
            content_type="application/json", headers={"Authorization": f"Bearer {token}"},
        )  # fmt: skip

    return send


@pytest.fixture
def campaign(make_customers, make_campaign):
    """200 customers; every fourth bought on the first day of the eight weeks before the newest event."""
    ensure_default_metrics()
    make_customers(200)
    newest = timezone.now() - timedelta(days=3)
    at = newest - timedelta(days=55.5)
    record_events(
        NewEvent(customer_id=pk, message_id=f"o-{pk}", name="Order Completed", occurred_at=at, value=40)
        for pk in Customer.objects.order_by("pk").values_list("pk", flat=True)[::4]
    )
    visit = {"message_id": "newest", "name": "Order Completed", "occurred_at": newest, "value": 0}
    record_events([NewEvent(customer_id=Customer.objects.earliest("pk").pk, **visit)])
    return make_campaign(bodies=(BODY, BODY), test_share=0.5)


def test_the_outlook_is_made_of_the_real_past(campaign, call) -> None:
    found = call("GET", f"/{campaign.pk}/outlook").json()
    assert (found["customers"], found["mean"], found["share_above_zero"]) == (100, 10.0, 0.25)
    assert not found["is_enough"]
    assert found["sentence"].startswith("With 100 customers you can see a change of")
    assert "you would need" in found["sentence"]


def test_an_underpowered_test_is_warned_of_before_the_launch(campaign) -> None:
    found = [check for check in services.check_campaign(campaign) if check.field == "plan"]
    assert [check.level for check in found] == ["warning", "warning"]
    assert found[1].message.startswith(
        "With 100 customers the guardrail “Customers who unsubscribed” (at most 0.2 percentage points worse) "
        "cannot be proven, so nothing could be named the winner. Accept "
    )


def test_plan_and_choice_go_by_the_api_and_are_written_down(campaign, call, analyse) -> None:
    run = services.launch(campaign, actor="test")
    assert call("GET", f"/{campaign.pk}/decision").json()["decision"] is None
    analyse(run.experiment)
    found = call("GET", f"/{campaign.pk}/decision").json()
    assert (found["decision"]["action"], found["rest"]["status"]) == ("go_on", "waiting")
    refused = call("POST", f"/{campaign.pk}/plan", {"plan": {"alpha": 9}, "reason": "more"})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/plan/alpha")
    changed = call("POST", f"/{campaign.pk}/plan", {"plan": {"length_days": 4}, "reason": "Holidays"}).json()
    assert [plan["reason"] for plan in changed["plans"]] == ["", "Holidays"]
    chosen = call("POST", f"/{campaign.pk}/decision", {"variant": "m1"}).json()
    assert (chosen["rest"]["code"], chosen["rest"]["variant"]) == ("by_hand", "m1")
    assert call("POST", f"/{campaign.pk}/decision", {"variant": "m0"}).status_code == 409
    assert not Delivery.objects.filter(run=run, is_rest=True).exclude(variant__key="m1").exists()


def test_choosing_needs_the_permission_to_write(campaign, call) -> None:
    services.launch(campaign, actor="test")
    body = {"variant": "m1"}
    assert call("POST", f"/{campaign.pk}/decision", body, scopes=["campaigns:read"]).status_code == 403


def test_the_experiments_report_holds_the_plan_its_changes_and_the_looks(campaign, call) -> None:
    run = services.launch(campaign, actor="test")
    call("POST", f"/{campaign.pk}/plan", {"plan": {"length_days": 4}, "reason": "Holidays"})
    plan = Plan.objects.filter(experiment=run.experiment).latest("version")
    winner.take_look(plan.pk, now=plan.next_look_at)
    key = create_key(name="reader", scopes=["campaigns:read"])[1]
    answer = Client().get(
        f"/api/v1/experiments/{run.experiment.key}/report", headers={"Authorization": f"Bearer {key}"}
    )
    found = answer.json()["plan"]
    assert [(one["version"], one["reason"]) for one in found["plans"]] == [(1, ""), (2, "Holidays")]
    assert [(one["plan_version"], one["number"]) for one in found["looks"]] == [(2, 1)]
    assert set(found["looks"][0]["statistics"]["revenue"]) == {"m0", "m1"}
