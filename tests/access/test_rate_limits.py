"""Rate limits: counted by key and by address, said in every answer, and harmless without Redis."""

import re

import pytest
import redis
from django.conf import settings
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


def left(answer) -> int:
    return int(re.fullmatch(r'"key";r=(\d+);t=\d+', answer["RateLimit"])[1])


def counted_in_redis() -> int:
    client = redis.Redis.from_url(settings.REDIS_URL)
    return sum(int(client.hget(key, "calls")) for key in client.scan_iter("calls:key:*"))


@override_settings(API_RATE_PER_MINUTE=1_000)
def test_many_calls_in_a_row_are_told_to_redis_together_and_none_is_lost(monkeypatch) -> None:
    monkeypatch.setattr(rate_limits, "LATE_SECONDS", 3600.0)
    before, client = counted_in_redis(), program()
    assert [left(client.get("/api/v1/segments")) for _ in range(4)] == [999, 998, 997, 996]
    assert counted_in_redis() == before + 1
    monkeypatch.setattr(rate_limits, "LATE_SECONDS", -1.0)
    assert left(client.get("/api/v1/segments")) == 995
    assert counted_in_redis() == before + 5


@override_settings(API_RATE_PER_MINUTE=1_000)
def test_near_the_limit_each_call_is_told_at_once(monkeypatch) -> None:
    monkeypatch.setattr(rate_limits, "LATE_SECONDS", 3600.0)
    monkeypatch.setattr(rate_limits, "LEFT_SHARE", 0.998)
    before, client = counted_in_redis(), program()
    assert [left(client.get("/api/v1/segments")) for _ in range(4)] == [999, 998, 997, 996]
    assert counted_in_redis() == before + 4


@override_settings(API_RATE_PER_MINUTE=1_000)
def test_calls_told_late_count_against_the_limit(monkeypatch) -> None:
    monkeypatch.setattr(rate_limits, "LATE_SECONDS", 3600.0)
    client = program()
    for _ in range(3):
        client.get("/api/v1/segments")
    monkeypatch.setattr(rate_limits, "LATE_SECONDS", -1.0)
    with override_settings(API_RATE_PER_MINUTE=3):
        assert client.get("/api/v1/segments").status_code == 429
