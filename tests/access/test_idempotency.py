"""Idempotency keys: once carried out, twice answered alike, and nothing of it half."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import close_old_connections, connection, connections, transaction
from django.test import Client
from django.utils import timezone

from personalization.access import idempotency
from personalization.access.models import ApiKey, KeptAnswer, Scope
from personalization.access.services import create_key
from personalization.segments.models import Segment

BODY = {"name": "Everybody", "definition": {"all": []}}


def program(*scopes: str) -> Client:
    token = create_key(name="shop", scopes=scopes or [Scope.SEGMENTS_READ, Scope.SEGMENTS_WRITE])[1]
    return Client(headers={"authorization": f"Bearer {token}"}, raise_request_exception=False)


def make(client: Client, name: str, body: dict | None = None):
    return client.post(
        "/api/v1/segments", json.dumps(body or BODY), content_type="application/json",
        headers={"idempotency-key": name},
    )  # fmt: skip


@pytest.mark.django_db
def test_a_repeated_call_is_answered_the_same_and_makes_nothing() -> None:
    client = program()
    first, second = make(client, "order-1"), make(client, "order-1")
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert second["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first
    assert Segment.objects.count() == 1


@pytest.mark.django_db
def test_another_call_under_the_same_key_is_refused() -> None:
    client = program()
    make(client, "order-1")
    answer = make(client, "order-1", BODY | {"name": "Somebody"})
    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"
    assert Segment.objects.count() == 1


@pytest.mark.django_db
def test_two_programs_may_choose_the_same_key() -> None:
    assert make(program(), "1").status_code == 201
    assert make(program(), "1", BODY | {"name": "Somebody"}).status_code == 201


@pytest.mark.django_db
def test_a_key_that_lost_its_scope_is_not_answered_from_memory() -> None:
    client = program()
    make(client, "order-1")
    ApiKey.objects.update(scopes=[Scope.SEGMENTS_READ])
    assert make(client, "order-1").status_code == 403


@pytest.mark.django_db
def test_after_a_day_the_key_may_be_used_for_another_call() -> None:
    client = program()
    make(client, "order-1")
    KeptAnswer.objects.update(created_at=timezone.now() - timedelta(hours=25))
    assert make(client, "order-1", BODY | {"name": "Somebody"}).status_code == 201
    KeptAnswer.objects.update(created_at=timezone.now() - timedelta(hours=25))
    idempotency.forget_old_answers()
    assert not KeptAnswer.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["", "x" * 256, "schlüssel"])
def test_a_key_that_is_none_is_refused_in_words(name: str) -> None:
    answer = make(program(), name)
    assert answer.status_code == 400
    assert "255" in answer.json()["title"]


@pytest.mark.django_db
def test_nothing_of_the_call_or_the_answer_stands_in_clear_in_the_database() -> None:
    make(program(), "order-1")
    with connection.cursor() as cursor:
        cursor.execute("SELECT t::text FROM access_keptanswer t")
        row = cursor.fetchone()[0]
    assert not [word for word in ("Everybody", "order-1", "segments", "POST") if word in row]


@pytest.mark.django_db
def test_a_call_that_failed_here_is_carried_out_when_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    client = program()

    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(Segment, "save_base", fail)
        assert make(client, "order-1").status_code == 500
    assert not KeptAnswer.objects.exists()
    assert make(client, "order-1").status_code == 201


@pytest.mark.django_db(transaction=True)
def test_while_the_first_call_runs_the_second_is_told_so() -> None:
    client = program()
    key = ApiKey.objects.get()

    def elsewhere() -> int:
        try:
            return make(client, "order-1").status_code
        finally:
            close_old_connections()
            connections.close_all()

    with transaction.atomic():
        assert idempotency._lock(key, idempotency._hash_of("POST", "/api/v1/segments", "order-1"))
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(elsewhere).result() == 409
    assert make(client, "order-1").status_code == 201
