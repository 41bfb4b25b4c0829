import json
from datetime import UTC, datetime

import pytest
from django.test import Client

from personalization.access.models import User
from personalization.access.services import create_key
from personalization.customers.models import Customer

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def ada(db) -> Customer:
    return Customer.objects.create(external_id="ada-4711", email="Ada@lovelace.example", created_at=NOW)


@pytest.fixture
def api(db):
    """Calls the API with a key that may read and change customers; answers the response."""
    token = create_key(name="crm", scopes=["customers:read", "customers:write"])[1]
    client = Client(headers={"Authorization": f"Bearer {token}"})

    def call(method: str, path: str, body=None):
        data = None if body is None else json.dumps(body)
        return getattr(client, method)(f"/api/v1/{path}", data, content_type="application/json")

    return call


@pytest.fixture
def boss(db) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("boss", password="x"))
    return client
