import pytest
from django.test import Client, override_settings


def test_alive_asks_nobody(client: Client) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}


@pytest.mark.django_db
def test_ready_when_database_and_redis_answer(client: Client) -> None:
    assert client.get("/readyz").json() == {"status": "ok", "database": "ok", "redis": "ok"}


@pytest.mark.django_db
@override_settings(REDIS_URL="redis://127.0.0.1:1/0")
def test_not_ready_without_redis_and_says_so(client: Client) -> None:
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["redis"] == "unreachable"


@pytest.mark.django_db
def test_metrics_are_for_this_machine_only_without_a_token(client: Client) -> None:
    assert b"bespoke_queue_length" in client.get("/metrics").content
    assert client.get("/metrics", REMOTE_ADDR="203.0.113.9").status_code == 403
    assert client.get("/metrics", headers={"x-forwarded-for": "203.0.113.9"}).status_code == 403


@pytest.mark.django_db
@override_settings(METRICS_TOKEN="s3")
def test_metrics_ask_for_the_token_when_there_is_one(client: Client) -> None:
    assert client.get("/metrics").status_code == 403
    assert client.get("/metrics", headers={"authorization": "Bearer s3"}).status_code == 200


@pytest.mark.django_db
@override_settings(REDIS_URL="redis://127.0.0.1:1/0")
def test_metrics_survive_a_dead_redis(client: Client) -> None:
    assert b"bespoke_redis_up 0.0" in client.get("/metrics").content
