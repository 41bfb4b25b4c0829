"""Imports by programs, and what staff without the right to import see of them."""

import pytest
from django.core.management import call_command
from django.test import Client

from personalization.access.models import User
from personalization.access.services import create_key
from personalization.sources import services, tasks
from personalization.sources.models import Import

pytestmark = pytest.mark.django_db
PEOPLE = "nr;mail;plan\n1;a@example.com;gold\n2;nonsense;\n3;;silver\n"


def test_a_file_is_brought_started_and_asked_about(upload):
    client, token = Client(), create_key(name="k", scopes=["imports"])[1]
    headers = {"Authorization": f"Bearer {token}"}
    data = {
        "file": upload(PEOPLE),
        "kind": "customers",
        "columns": '{"external_id": ["nr"], "email": ["mail"]}',
    }
    answer = client.post("/api/v1/imports", data, headers=headers)
    assert (answer.status_code, answer.json()["status"]) == (202, "waiting")
    pk = answer.json()["id"]
    tasks.run_import(pk)
    found = client.get(f"/api/v1/imports/{pk}", headers=headers).json()
    assert (found["status"], found["new"], found["rejected"]) == ("done", 2, 1)
    rejected = b"".join(client.get(f"/api/v1/imports/{pk}/rejects", headers=headers).streaming_content)
    assert b"not an e-mail address" in rejected
    assert client.post(f"/api/v1/imports/{pk}/cancel", headers=headers).status_code == 409
    other = {"Authorization": f"Bearer {create_key(name='o', scopes=['ingest'])[1]}"}
    assert client.get("/api/v1/imports", headers=other).status_code == 403


def test_a_wrong_mapping_leaves_no_file_behind(upload, import_dir):
    headers = {"Authorization": f"Bearer {create_key(name='k', scopes=['imports'])[1]}"}
    answer = Client().post(
        "/api/v1/imports",
        {"file": upload(PEOPLE.replace("mail", "post")), "kind": "customers"},
        headers=headers,
    )
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert list(import_dir.iterdir()) == [] and not Import.objects.exists()


def test_only_who_may_import_sees_rows_and_starts(upload, client):
    job = services.take_file(upload(PEOPLE), kind="customers", actor="x")
    viewer = User.objects.create_user("bob", is_staff=True)
    call_command("ensure_roles")
    viewer.groups.set([viewer.groups.model.objects.get(name="Viewer")])
    client.force_login(viewer)
    assert b"nonsense" not in client.get(f"/app/data/imports/{job.pk}/").content
    assert client.post(f"/app/data/imports/{job.pk}/options", {"action": "start"}).status_code == 403
    assert client.get(f"/app/data/imports/{job.pk}/rejects.csv").status_code == 403
    assert client.post("/app/data/imports/", {"kind": "customers"}).status_code == 403
