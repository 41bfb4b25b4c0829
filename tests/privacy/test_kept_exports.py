"""The file of everything about a person: a worker writes it, who may hand it out fetches it."""

import io
import zipfile
from datetime import timedelta
from urllib.parse import quote

import pytest
from django.test import Client
from django.utils import timezone

from personalization.access.jobs.row import JobStatus
from personalization.access.jobs.work import Stopped, lost_jobs
from personalization.access.models import AuditEntry, PersonalRead
from personalization.access.services import create_key
from personalization.customers.models import Customer
from personalization.privacy import kept_exports, requests, tasks
from personalization.privacy.models import PersonExport, PrivacyRequest

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/customers/ada-4711/exports"


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.EXPORT_DIR = tmp_path / "exports"
    return settings.EXPORT_DIR


@pytest.fixture
def officer(ada) -> Client:
    token = create_key(name="dpo", scopes=["privacy"])[1]
    return Client(headers={"Authorization": f"Bearer {token}"})


def test_an_id_of_any_letters_is_found_again_at_the_address_that_is_told(officer, ada):
    Customer.objects.filter(pk=ada.pk).update(external_id="Köln 7?")
    asked = officer.post(f"/api/v1/customers/{quote('Köln 7?')}/exports")
    assert officer.get(asked["Location"]).json()["id"] == asked.json()["id"]


def test_a_program_asks_watches_and_fetches_and_the_request_is_noted(officer, ada, folder):
    asked = officer.post(ADDRESS)
    assert (asked.status_code, asked.json()["file"]) == (202, None)
    assert officer.post(ADDRESS).json()["id"] == asked.json()["id"], "asked twice it is made once"
    assert officer.get(f"{asked['Location']}/file").status_code == 404
    tasks.run_export(asked.json()["id"])
    told = officer.get(asked["Location"]).json()
    assert (told["status"], told["share_done"]) == ("done", 1.0) and told["rows"] >= 2
    assert officer.get(ADDRESS).json() == [told]
    assert not PrivacyRequest.objects.exists()
    answer = officer.get(told["file"])
    assert (answer["Content-Type"], answer["Cache-Control"]) == ("application/zip", "no-store")
    assert "data.json" in zipfile.ZipFile(io.BytesIO(answer.getvalue())).namelist()
    noted = PrivacyRequest.objects.get(kind="access", status="done")
    assert noted.customer == ada and noted.asked_by.startswith("key:")
    assert AuditEntry.objects.filter(action="customer.exported", target=f"customer:{ada.pk}").count() == 1


def test_nobody_else_gets_it(api, officer, ada):
    asked = officer.post(ADDRESS).json()["id"]
    tasks.run_export(asked)
    assert api("post", "customers/ada-4711/exports").status_code == 403
    assert api("get", f"customers/ada-4711/exports/{asked}/file").status_code == 403
    assert officer.get(f"/api/v1/customers/somebody/exports/{asked}/file").status_code == 404


def test_the_page_tells_how_far_it_is_and_gives_the_file(boss, ada):
    page = f"/app/privacy/customers/{ada.pk}/export"
    assert page in boss.get(f"/app/customers/{ada.pk}").content.decode()
    assert boss.post(page).status_code == 302
    asked = PersonExport.objects.get()
    began = timezone.now() - timedelta(minutes=1)
    PersonExport.objects.update(status=JobStatus.RUNNING, started_at=began, share_done=0.75)
    live = f"/app/privacy/customers/{ada.pk}/exports/live?known={asked.pk}"
    for address in (page, live):
        assert "75 %" in boss.get(address).content.decode()
    PersonExport.objects.update(status=JobStatus.QUEUED)
    tasks.run_export(asked.pk)
    assert boss.get(live)["HX-Refresh"] == "true"
    assert "Download," in boss.get(page).content.decode()
    answer = boss.get(f"/app/privacy/customers/{ada.pk}/exports/{asked.pk}.zip")
    assert zipfile.ZipFile(io.BytesIO(answer.getvalue())).testzip() is None
    assert PersonalRead.objects.get(page="export").customer_ids == [ada.pk]


def test_a_canceled_one_leaves_no_file(boss, officer, ada, folder, monkeypatch):
    asked = officer.post(ADDRESS).json()["id"]

    def stop(*_: object) -> int:
        raise Stopped

    monkeypatch.setattr(kept_exports, "write_zip", stop)
    tasks.run_export(asked)
    boss.post(f"/app/privacy/customers/{ada.pk}/export", {"action": "cancel", "job": asked})
    assert officer.get(f"{ADDRESS}/{asked}").json()["status"] == "canceled"
    assert officer.post(f"{ADDRESS}/{asked}/cancel").status_code == 409
    assert list(folder.iterdir()) == []


def test_who_is_erased_takes_the_file_along_also_one_that_was_being_written(officer, ada, folder):
    asked = officer.post(ADDRESS).json()["id"]
    tasks.run_export(asked)
    assert [file.name for file in folder.iterdir()] == [f"person-{asked}.zip"]
    erasure = requests.ask_erasure(ada.pk, actor="key:x")
    requests.carry_out(erasure.pk)
    erasure.refresh_from_db()
    assert erasure.certificate["elsewhere"]["exports of persons"] == 1
    assert (PersonExport.objects.count(), list(folder.iterdir())) == (0, [])
    (folder / f"person-{asked}.zip").write_text("finished by a worker that did not hear of it")
    tasks.start_exports()
    assert list(folder.iterdir()) == []


def test_one_of_a_killed_worker_is_written_anew(officer, ada):
    asked = officer.post(ADDRESS).json()["id"]
    long_ago = timezone.now() - timedelta(minutes=5)
    PersonExport.objects.update(status=JobStatus.RUNNING, lease_until=long_ago, attempts=1)
    assert lost_jobs(PersonExport) == [asked]
    tasks.run_export(asked)
    assert officer.get(f"{ADDRESS}/{asked}").json()["status"] == "done"
