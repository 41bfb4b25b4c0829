from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from personalization.access import services
from personalization.access.authentication import authenticate_key
from personalization.access.models import ApiKey, AuditEntry, Scope

pytestmark = pytest.mark.django_db


def test_a_new_key_opens_and_names_its_scopes() -> None:
    _, token = services.create_key(name="shop", scopes=[Scope.INGEST])
    key = authenticate_key(token)
    assert key is not None
    assert key.scopes == ["ingest"]


def test_the_database_holds_nothing_with_which_one_could_call() -> None:
    key, token = services.create_key(name="shop", scopes=[Scope.INGEST])
    with connection.cursor() as cursor:
        cursor.execute("SELECT access_apikey::text FROM access_apikey")
        row = cursor.fetchone()[0]
    assert token.split("_", 2)[2] not in row
    assert authenticate_key(f"bsp_{key.prefix}_{bytes(key.secret_hash).hex()}") is None


@pytest.mark.parametrize("token", ["", "bsp", "bsp__", "bsp_x_", "xyz_a_b", "bsp_\0_a", "bsp_" + "a" * 500])
def test_a_malformed_token_opens_nothing(token: str) -> None:
    assert authenticate_key(token) is None


@pytest.mark.parametrize(
    ("address", "scope"), [("/api/v1/segments", "segments:write"), ("/v1/track", "ingest")]
)
def test_a_refusal_names_the_scope_that_is_wanted(client: Client, address: str, scope: str) -> None:
    _, token = services.create_key(name="shop", scopes=[Scope.CUSTOMERS_READ])
    body = {"userId": "a", "event": "E"}
    answer = client.post(address, body, "application/json", headers={"authorization": f"Bearer {token}"})
    assert answer.status_code == 403 and f"scope {scope}" in answer.json()["detail"]


def test_a_wrong_address_says_where_the_right_ones_are(client: Client) -> None:
    answer = client.get("/api/v1/nothing")
    assert answer.status_code == 404 and "/api/docs" in answer.json()["detail"]


def test_a_revoked_key_is_refused_at_once() -> None:
    key, token = services.create_key(name="shop", scopes=[Scope.INGEST])
    services.revoke_key(key, actor="user:ada")
    assert authenticate_key(token) is None
    assert AuditEntry.objects.filter(action="key.revoked", actor="user:ada").exists()


def test_an_expired_key_is_refused() -> None:
    past = timezone.now() - timedelta(seconds=1)
    _, token = services.create_key(name="shop", scopes=[Scope.INGEST], expires_at=past)
    assert authenticate_key(token) is None


def test_the_last_use_is_noted_at_most_once_a_minute() -> None:
    key, token = services.create_key(name="shop", scopes=[Scope.INGEST])
    authenticate_key(token)
    first = ApiKey.objects.get(pk=key.pk).last_used_at
    authenticate_key(token)
    assert first is not None
    assert ApiKey.objects.get(pk=key.pk).last_used_at == first
