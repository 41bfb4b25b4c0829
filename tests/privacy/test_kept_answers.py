"""Answers kept for an Idempotency-Key, when a person they name is erased."""

import json
from datetime import UTC, datetime

import pytest
from django.test import Client

from personalization.access.models import KeptAnswer, Scope
from personalization.access.services import create_key
from personalization.customers.models import Customer
from personalization.privacy.erasure import erase
from tests.privacy.unpacking import data_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    token = create_key(name="shop", scopes=list(Scope))[1]
    return Client(headers={"authorization": f"Bearer {token}"})


def change(client: Client, external_id: str):
    return client.patch(
        f"/api/v1/customers/{external_id}", json.dumps({"city": "Leeds"}), content_type="application/json",
        headers={"idempotency-key": "one"},
    )  # fmt: skip


def test_the_answer_goes_and_the_call_is_not_carried_out_again(client):
    now = datetime(2026, 3, 1, tzinfo=UTC)
    ada = Customer.objects.create(pk=700_001, external_id="ada", created_at=now)
    Customer.objects.create(pk=700_002, external_id="bob", created_at=now)
    change(client, "ada"), change(client, "bob")
    assert len(data_of(ada)["other"]["kept answers of calls"]) == 1
    erased = erase(ada.pk)
    assert erased is not None
    assert erased.elsewhere["kept answers of calls"] == 1
    assert "Leeds" not in "".join(kept.body for kept in KeptAnswer.objects.filter(status=410))
    again = change(client, "ada")
    assert (again.status_code, again["Content-Type"]) == (410, "application/problem+json")
    assert change(client, "bob").json()["city"] == "Leeds"


def test_an_answer_whose_key_is_gone_keeps_nobody_from_being_erased(client, settings):
    ada = Customer.objects.create(pk=700_001, external_id="ada", created_at=datetime(2026, 3, 1, tzinfo=UTC))
    change(client, "ada")
    settings.DATA_KEYS = ["another key, after the first was lost"]
    assert data_of(ada)["other"]["kept answers of calls"] == []
    assert erase(ada.pk).elsewhere["kept answers of calls"] == 1
    assert change(client, "ada").status_code == 410
