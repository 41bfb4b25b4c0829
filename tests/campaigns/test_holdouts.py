"""Whoever is in a holdout gets nothing: at the launch, at the moment of sending, and over the API."""

from datetime import UTC, datetime

import pytest
from django.test import Client

from campaigns import services, tasks
from campaigns.models import Delivery, SkipReason
from campaigns.selectors import progress
from experiments.assignment import hash_fraction
from experiments.models import Assignment
from experiments.traffic import holdouts
from personalization.access.services import create_key

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def hold_out(share=0.3, key="all", **kwargs):
    return holdouts.create_holdout(key=key, name=key, share=share, at=NOW, actor="test", **kwargs)


def drawn(people, share, seed):
    return {p.pk for p in people if hash_fraction(seed, p.external_id) < share}


def test_members_stand_in_the_ledger_and_get_nothing(sink, make_customers, make_campaign, send_all):
    people = make_customers(60)
    hold_out()
    run = services.launch(make_campaign(control_share=0.2), actor="test")
    send_all(run)
    held = drawn(people, 0.3, "holdout:all:1")
    rows = Delivery.objects.filter(run=run, reason=SkipReason.HOLDOUT)
    assert set(rows.values_list("customer_id", "variant", "status")) == {(pk, None, "skipped") for pk in held}
    assert {round(p, 9) for p in rows.values_list("propensity", flat=True)} == {0.3}
    assert not Assignment.objects.filter(experiment=run.experiment, customer__in=held).exists()
    assert Assignment.objects.filter(experiment=run.experiment).count() == 60 - len(held)
    written_to = {p.email for p in people if p.pk not in held}
    assert set(sink.recipients) <= written_to
    counts = progress(run)
    assert counts["audience"] == 60 == counts["sent"] + counts["skipped"]
    assert counts["reasons"]["holdout"] == len(held)


def test_who_enters_after_the_launch_is_not_written_to(sink, make_customers, make_campaign, send_all):
    people = make_customers(40)
    run = services.launch(make_campaign(), actor="test")
    hold_out()
    send_all(run)
    held = drawn(people, 0.3, "holdout:all:1")
    assert set(sink.recipients) == {p.email for p in people if p.pk not in held}
    assert Delivery.objects.filter(run=run, reason="holdout").count() == len(held)


def test_a_campaign_can_have_a_holdout_of_its_own(sink, make_customers, make_campaign, send_all):
    people = make_customers(40)
    own = hold_out(key="spring", is_global=False)
    plain = services.launch(make_campaign(), actor="test")
    run = services.launch(make_campaign(holdout=own), actor="test")
    assert not Delivery.objects.filter(run=plain, reason="holdout").exists()
    held = drawn(people, 0.3, "holdout:spring:1")
    assert set(Delivery.objects.filter(run=run, reason="holdout").values_list("customer", flat=True)) == held
    holdouts.change_share(own, share=0.5, at=NOW, actor="test")
    send_all(run)
    assert Delivery.objects.filter(run=run, reason="holdout").count() == len(
        drawn(people, 0.5, "holdout:spring:1")
    )


def test_a_launch_over_the_api_keeps_the_holdout_out(make_customers, make_campaign, monkeypatch):
    monkeypatch.setattr(tasks, "wake", lambda: None)
    people, own = make_customers(40), hold_out(key="spring", is_global=False)
    hold_out(0.2)
    headers = {"Authorization": f"Bearer {create_key(name='x', scopes=['campaigns:write'])[1]}"}
    draft = make_campaign()
    body = {
        "name": "Spring", "segment": draft.segment_id, "sender_address": "shop@shop.example",
        "control_share": 0, "holdout": "spring",
        "messages": [{"key": "a", "subject": "Hi", "body": draft.messages.get().body}],
    }  # fmt: skip
    made = Client().post("/api/v1/campaigns", body, content_type="application/json", headers=headers)
    assert made.json()["holdout"] == "spring", made.content
    address = f"/api/v1/campaigns/{made.json()['id']}/launch"
    assert Client().post(address, {}, content_type="application/json", headers=headers).status_code == 202
    held = set(Delivery.objects.filter(reason="holdout").values_list("customer", flat=True))
    assert held == drawn(people, 0.2, "holdout:all:1") | drawn(people, 0.3, "holdout:spring:1")
    unknown = Client().post(
        "/api/v1/campaigns", {**body, "holdout": "all"}, content_type="application/json", headers=headers
    )
    assert unknown.status_code == 400
    assert own.campaigns.count() == 1
