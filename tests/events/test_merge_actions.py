"""Staff and programs merge and unmerge, and both leave an entry in the audit log."""

import json
from datetime import UTC, datetime

import pytest
from django.test import Client

from personalization.access.models import AuditEntry, User
from personalization.access.services import create_key
from personalization.customers.models import Customer, Merge

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def ada() -> Customer:
    return Customer.objects.create(external_id="ada", created_at=NOW)


@pytest.fixture
def visitor() -> Customer:
    return Customer.objects.create(city="Leeds", created_at=NOW)


def test_staff_merge_and_undo_on_the_profile_page(ada, visitor):
    boss = Client()
    boss.force_login(User.objects.create_superuser("boss", password="x"))
    answer = boss.post(f"/app/identity/{ada.pk}/merge", {"source": f"#{visitor.pk}", "note": "one person"})
    assert answer.headers["Location"] == f"/app/customers/{ada.pk}"
    page = boss.get(f"/app/customers/{ada.pk}").content.decode()
    assert "one person" in page and f"#{visitor.pk}" in page
    boss.post(f"/app/identity/merges/{Merge.objects.get().pk}/undo")
    assert Customer.objects.get(pk=visitor.pk).city == "Leeds"
    entries = AuditEntry.objects.order_by("id").values_list("actor", "action", "target")
    assert list(entries) == [
        ("user:boss", "customer.merged", f"customer:{ada.pk}"),
        ("user:boss", "customer.unmerged", f"customer:{ada.pk}"),
    ]


def test_programs_do_it_over_the_api(ada, visitor):
    token = create_key(name="crm", scopes=["customers:read", "customers:write"])[1]
    client = Client(headers={"Authorization": f"Bearer {token}"})
    path = "/api/v1/customers/ada/merges"
    made = client.post(path, json.dumps({"source": f"#{visitor.pk}"}), content_type="application/json")
    assert made.status_code == 201, made.content
    assert [row["source_id"] for row in client.get(path).json()["results"]] == [visitor.pk]
    undo = f"/api/v1/merges/{made.json()['id']}/undo"
    assert client.post(undo).json()["undone_by"].startswith("key:")
    assert client.post(undo).status_code == 409
    assert Client().post(undo).status_code == 401
    for wrong in ({"source": "nobody"}, {"source": "ada"}):
        answer = client.post(path, json.dumps(wrong), content_type="application/json")
        assert answer.status_code in (404, 409)
    assert set(Customer.objects.values_list("pk", flat=True)) == {ada.pk, visitor.pk}
