"""What `manage.py doctor` says of the database."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import IntegrityError, connection

from campaigns.models import SendLock, Touch
from personalization.config import checkup_database
from personalization.customers.models import Customer


def allow(monkeypatch: pytest.MonkeyPatch, *, worker_processes: list[int]) -> None:
    told = {f"w{n}": {"pool": {"max-concurrency": count}} for n, count in enumerate(worker_processes)}
    inspect = SimpleNamespace(stats=lambda: told)
    monkeypatch.setattr(checkup_database.celery_app.control, "inspect", lambda timeout: inspect)


@pytest.mark.django_db
def test_connections_that_all_processes_may_open_are_counted_against_what_the_server_allows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW max_connections")
        assert cursor.fetchone()[0] == "100"  # 97 of them for others than superusers
    allow(monkeypatch, worker_processes=[2, 2])
    monkeypatch.setenv("WEB_WORKERS", "1")
    assert checkup_database.connections() == (True, "PostgreSQL allows 97, at most 34 are opened.")
    monkeypatch.setenv("WEB_WORKERS", "4")
    is_well, said = checkup_database.connections()
    assert not is_well and "open up to 109. Raise max_connections" in said


@pytest.mark.django_db
def test_behind_a_pooler_connections_are_its_business(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict, "DISABLE_SERVER_SIDE_CURSORS", True)
    assert checkup_database.connections()[0]


@pytest.mark.django_db(transaction=True)
def test_an_index_that_was_left_half_built_is_named_with_the_command_that_mends_it() -> None:
    assert checkup_database.indexes()[0]
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE twice AS SELECT 1 AS n FROM generate_series(1, 2)")
        try:
            with pytest.raises(IntegrityError):
                cursor.execute("CREATE UNIQUE INDEX CONCURRENTLY half ON twice (n)")
            is_well, said = checkup_database.indexes()
            assert not is_well and said.endswith("Run: REINDEX INDEX CONCURRENTLY half;")
            cursor.execute("DELETE FROM twice")
            cursor.execute(said.partition("Run: ")[2])
            assert checkup_database.indexes()[0]
        finally:
            cursor.execute("DROP TABLE twice")


@pytest.mark.django_db
def test_rows_that_lead_to_nothing_are_counted_by_column(monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    here = Customer.objects.create(external_id="here", created_at=now)
    SendLock.objects.create(customer=here)
    assert checkup_database.references()[0]
    rest: dict[str, Any] = {"channel": "email", "topic": "sale", "is_reserved": False, "at": now}
    Touch.objects.bulk_create(Touch(delivery_id=n, customer=here, **rest) for n in (1, 2, 3))
    SendLock.objects.create(customer_id=here.pk + 1)
    is_well, said = checkup_database.references()
    assert not is_well
    assert "campaigns_touch.delivery_id (3)" in said and "campaigns_sendlock.customer_id (1)" in said
    assert "campaigns_touch.customer_id" not in said
    monkeypatch.setattr(checkup_database, "LOOKED_AT", 2)
    assert "campaigns_touch.delivery_id (2)" in checkup_database.references()[1]
