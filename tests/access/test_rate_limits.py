"""Rate limits: counted by key and by address, said in every answer, and harmless without Redis."""

import re

import pytest
from django.test import Client, override_settings

from personalization.access import rate_limits
from personalization.access.models import Scope
from personalization.access.services import create_key

pytestmark = pytest.mark.django_db


def program() -> Client:
    token = create_key(name="shop", scopes=[Scope.SEGMENTS_READ])[1]
    return Client(headers={"authorization": f"Bearer {token}"})


@override_settings(API_RATE_PER_MINUTE=2)
def test_what_is_over_the_limit_is_refused_and_told_when_to_come_back() -> None:
    client, other = program(), program()
    first, second, third = (client.get("/api/v1/segments") for _ in range(3))
    assert (first.status_code, second.status_code, third.status_code) == (200, 200, 429)
    assert first["RateLimit-Policy"] == '"key";q=2;w=60'
    assert re.fullmatch(r'"key";r=1;t=\d+', first["RateLimit"])
    assert re.fullmatch(r'"key";r=0;t=\d+', third["RateLimit"])
    assert 1 <= int(third["Retry-After"]) <= 60
    assert third.json()["type"] == "/problems/too-many-requests"
    assert other.get("/api/v1/segments").status_code == 200


@override_settings(PUBLIC_RATE_PER_MINUTE=1, SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https"))
def test_without_a_key_it_is_the_address_that_the_proxy_saw() -> None:
    client = Client()
    seen = ["203.0.113.1", "6.6.6.6, 203.0.113.1", "203.0.113.2"]
    codes = [client.get("/api/v1/segments", headers={"x-forwarded-for": chain}).status_code for chain in seen]
    assert codes == [401, 429, 401]


@pytest.mark.parametrize("path", ["/v1/track", "/api/features/none", "/ofrep/v1/evaluate/flags"])
def test_the_thin_addresses_are_counted_too(path: str) -> None:
    assert Client().post(path)["RateLimit-Policy"].startswith('"address";q=')


@override_settings(API_RATE_PER_MINUTE=0)
def test_zero_switches_it_off() -> None:
    assert "RateLimit" not in program().get("/api/v1/segments")


@override_settings(REDIS_URL="redis://127.0.0.1:1/0")
def test_without_redis_everybody_is_answered() -> None:
    client = program()
    answers = [client.get("/api/v1/segments") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert "RateLimit" not in answers[0]


def test_pages_for_staff_are_not_counted() -> None:
    assert not "/admin/".startswith(rate_limits.COUNTED)
    assert "RateLimit" not in Client().get("/admin/login/")
