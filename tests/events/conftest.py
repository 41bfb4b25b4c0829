import json

import pytest
from django.test import Client

from personalization.access.services import create_key


@pytest.fixture
def token(db) -> str:
    return create_key(name="shop", scopes=["ingest"])[1]


@pytest.fixture
def post(token):
    """Posts a body (object or bytes) to /v1/<call> with the shop's key."""
    client = Client()

    def send(call: str, body, **headers):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers.setdefault("Authorization", f"Bearer {token}")
        return client.post(f"/v1/{call}", data, content_type="application/json", headers=headers)

    return send
