"""A person asks for erasure, and nothing of theirs is found in a dump of the database."""

import os
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.cache import caches
from django.db import connection

from personalization.access.models import AuditEntry
from personalization.access.services import create_key
from personalization.customers import selectors
from personalization.customers.models import Customer, Identifier, SuppressionReason
from personalization.customers.services import suppress
from personalization.events.models import Event
from personalization.personal_data import AtErasure
from personalization.privacy import requests
from personalization.privacy.declared import declared
from personalization.privacy.leftovers import find_leftovers
from personalization.privacy.models import PrivacyRequest
from personalization.sources.models import Import
from recommender.models import ModelRun, RunStatus
from tests.privacy.making import NOW, make_rows

MARK = "canarymark"


def full_text_of_the_database() -> str:
    """What pg_dump writes, where it is installed with the server's version; else every row of every table."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW data_directory")
        own = Path(f"/proc/{connection.connection.info.backend_pid}/exe")
        binary = own.resolve().parent / "pg_dump" if own.exists() else Path("pg_dump")
    settings = connection.settings_dict
    environment = os.environ | {
        "PGHOST": settings["HOST"], "PGPORT": str(settings["PORT"] or ""), "PGUSER": settings["USER"],
        "PGPASSWORD": settings["PASSWORD"], "PGDATABASE": settings["NAME"],
    }  # fmt: skip
    if binary.is_file():
        done = subprocess.run(
            [binary, "--data-only"], env={k: v for k, v in environment.items() if v}, capture_output=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.decode()
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        text = []
        for table in tables:
            cursor.execute(f'SELECT t::text FROM "{table}" AS t')
            text += [row[0] for row in cursor.fetchall()]
    return "\n".join(text)


@pytest.fixture
def person(db) -> Customer:
    return Customer.objects.create(
        external_id=f"{MARK}-id-1", email=f"{MARK}.Ada@lovelace.example", phone="+441234567890",
        first_name=f"{MARK}first", last_name=f"{MARK}last", city=f"{MARK}city", traits={"x": f"{MARK}trait"},
        created_at=NOW,
    )  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_nothing_of_an_erased_person_is_found_in_a_dump(person, boss):
    make_rows(person, MARK)
    hollow = Customer.objects.create(merged_into=person, created_at=NOW)
    make_rows(hollow, MARK)
    friend = Customer.objects.create(
        external_id="f", created_at=NOW, traits={"partner": person.email.upper()}
    )
    Event.objects.create(
        customer=friend, message_key="0" * 32, name="Referred", properties={"by": person.email, "n": 1},
        occurred_at=NOW, received_at=NOW,
    )  # fmt: skip
    LogEntry.objects.create(
        user_id=boss.session["_auth_user_id"], content_type=ContentType.objects.get_for_model(Customer),
        object_id=person.pk, object_repr=f"{MARK}first", action_flag=CHANGE,
    )  # fmt: skip
    before = full_text_of_the_database()
    assert before.count(MARK) > 30
    assert "+441234567890" in before

    asked = requests.ask_erasure(person.pk, actor="user:boss")
    requests.carry_out(asked.pk)

    after = full_text_of_the_database().lower()
    lines = [line[:200] for line in after.splitlines() if MARK in line or "1234567890" in line]
    assert lines == []
    event = Event.objects.get(customer=friend)
    assert event.properties == {"by": "[erased]", "n": 1}
    asked.refresh_from_db()
    assert (asked.status, asked.customer) == ("done", None)
    counts = asked.certificate
    assert counts["deleted"]["customers_customer"] == 2
    assert counts["elsewhere"]["admin log"] == 1
    assert asked.certificate_sha256 == requests.document_hash(counts)
    assert AuditEntry.objects.get(action="erasure.done").detail["sha256"] == asked.certificate_sha256
    # The rows of the experiments are still there to be counted, under numbers nobody has seen before.
    for model, data in declared():
        if data.at_erasure == AtErasure.ANONYMIZE and "__" not in data.path:
            assert model._base_manager.count() >= 1, model
            assert not model._base_manager.filter(**{f"{data.path}__in": [person.pk, hollow.pk]}).exists()


@pytest.mark.django_db
def test_who_comes_back_with_an_import_is_not_written_to(person):
    asked = requests.ask_erasure(person.pk, actor="key:x")
    requests.carry_out(asked.pk)
    back = Customer.objects.create(external_id="new-id", email=person.email.lower(), created_at=NOW)
    assert selectors.suppressed_ids([back.pk], channel="email") == {back.pk}
    assert requests.find_requests(person.email) == [asked]
    assert requests.find_requests("somebody@else.example") == []


@pytest.mark.django_db
def test_an_earlier_suppression_loses_its_customer_and_keeps_its_reason(person):
    suppress(channel="email", address=person.email, reason=SuppressionReason.BOUNCED, customer_id=person.pk)
    asked = requests.ask_erasure(person.pk, actor="key:x")
    requests.carry_out(asked.pk)
    [row] = asked.__class__.objects.filter(pk=asked.pk).values_list("certificate", flat=True)
    assert row["anonymized"]["customers_suppression"] == 1


@pytest.mark.django_db
def test_what_is_left_elsewhere_is_said_and_not_hidden(person):
    Customer.objects.create(external_id="twin", email=person.email, created_at=NOW)
    asked = requests.ask_erasure(person.pk, actor="key:x")
    requests.carry_out(asked.pk)
    asked.refresh_from_db()
    assert asked.status == "attention"
    assert asked.certificate["searched_afterwards"]["rows_left"] == {"customers_customer": 1}
    assert person.email not in str(asked.certificate)


@pytest.mark.django_db
def test_models_note_who_left_and_refused_rows_of_imports_go(person, settings, tmp_path):
    learned = ModelRun.objects.create(
        algorithm="popular", status=RunStatus.DONE, data_until=NOW, finished_at=NOW
    )
    before = ModelRun.objects.create(
        algorithm="popular", status=RunStatus.DONE, data_until=NOW - timedelta(days=1), finished_at=NOW
    )
    settings.IMPORT_DIR = tmp_path
    job = Import.objects.create(
        kind="customers", name="people.csv", path=str(tmp_path / "people.csv"), status="done", rejected=2,
        actor="user:x",
    )  # fmt: skip
    (tmp_path / "people.csv").write_text(f"id,email\n1,{person.email.lower()}\n")
    refused = tmp_path / f"rejects-{job.pk}.jsonl"
    other = '{"line": 3, "reason": "bad", "row": {"email": "bob@example.com"}}\n'
    refused.write_text(other.replace("bob@example.com", person.email) + other)
    customer_id = person.pk
    asked = requests.ask_erasure(customer_id, actor="key:x")
    requests.carry_out(asked.pk)
    learned.refresh_from_db()
    before.refresh_from_db()
    assert (learned.departed_ids, before.departed_ids) == ([customer_id], [])
    assert refused.read_text() == other
    assert not (tmp_path / "people.csv").exists()
    asked.refresh_from_db()
    assert asked.certificate["elsewhere"] == {"trained models": 1, "files of imports": 2}


@pytest.mark.django_db
def test_asked_twice_it_is_done_once(person):
    first = requests.ask_erasure(person.pk, actor="key:x")
    assert requests.ask_erasure(person.pk, actor="key:y") == first
    requests.carry_out(first.pk)
    requests.carry_out(first.pk)
    assert PrivacyRequest.objects.filter(kind="erasure").count() == 1


@pytest.mark.django_db
def test_short_ids_are_not_searched_for(person):
    Customer.objects.filter(pk=person.pk).update(external_id="4711", email="", phone="")
    Identifier.objects.create(customer=person, kind="anonymous_id", value="cookie-abcdef")
    assert find_leftovers([]) == {}
    asked = requests.ask_erasure(person.pk, actor="key:x")
    requests.carry_out(asked.pk)
    asked.refresh_from_db()
    assert asked.certificate["searched_afterwards"] == {"texts": 1, "rows_left": {}}


@pytest.mark.django_db
def test_the_api_asks_and_answers_the_certificate(client, person):
    headers = {"Authorization": f"Bearer {create_key(name='dpo', scopes=['privacy'])[1]}"}
    asked = client.post(f"/api/v1/customers/{person.external_id}/erasure", headers=headers)
    assert (asked.status_code, asked.json()["status"]) == (202, "waiting")
    requests.carry_out(asked.json()["id"])
    shown = client.get(f"/api/v1/privacy-requests/{asked.json()['id']}", headers=headers).json()
    assert (shown["status"], shown["certificate"]["deleted"]["customers_customer"]) == ("done", 1)
    assert client.post(f"/api/v1/customers/{person.external_id}/erasure", headers=headers).status_code == 404


@pytest.mark.django_db
def test_the_pages_say_what_will_go_and_what_went(boss, person):
    page = boss.get(f"/app/privacy/customers/{person.pk}/erase").content.decode()
    assert "cannot be undone" in page
    assert boss.post(f"/app/privacy/customers/{person.pk}/erase").status_code == 200
    assert PrivacyRequest.objects.count() == 0
    page = boss.post(f"/app/privacy/customers/{person.pk}/erase", {"sure": "1"}, follow=True)
    asked = PrivacyRequest.objects.get()
    assert "(user:" not in page.content.decode()  # people are called by their names
    live = boss.get(f"/app/privacy/requests/{asked.pk}/live")
    assert "usually within a minute" in live.content.decode() and "HX-Refresh" not in live
    requests.carry_out(asked.pk)
    assert boss.get(f"/app/privacy/requests/{asked.pk}/live")["HX-Refresh"] == "true"
    assert "deleted" in boss.get(f"/app/privacy/requests/{asked.pk}").content.decode()
    document = boss.get(f"/app/privacy/requests/{asked.pk}/certificate.json").json()
    assert document["sha256"] == requests.document_hash(document["certificate"])
    found = boss.post("/app/privacy/requests", {"text": person.email}).content.decode()
    assert f"/app/privacy/requests/{asked.pk}" in found


@pytest.mark.django_db
def test_the_cache_holds_nothing_of_the_person(person, boss):
    boss.get(f"/app/customers/{person.pk}")
    boss.get("/admin/")
    client = caches["default"]._cache.get_client()
    stored = b"".join(client.get(key) or b"" for key in client.keys("*") if client.type(key) == b"string")
    assert MARK.encode() not in stored
