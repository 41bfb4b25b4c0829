"""Right of access: whatever a room keeps about a person is in the export."""

import csv
import io
import json
import zipfile

import pytest

from personalization.access.models import AuditEntry
from personalization.access.services import create_key
from personalization.customers.models import Customer
from personalization.privacy.declared import declared
from personalization.privacy.export import safe_cell
from personalization.privacy.models import PrivacyRequest
from tests.privacy.making import make_rows

pytestmark = pytest.mark.django_db


def test_every_row_of_every_model_is_in_the_file(boss, ada):
    made = make_rows(ada, "canary")
    Customer.objects.create(external_id="somebody-else", first_name="Other", created_at=ada.created_at)
    answer = boss.post(f"/app/privacy/customers/{ada.pk}/export")
    assert answer["Content-Type"] == "application/zip"
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    data = json.loads(archive.read("data.json"))["data"]
    for model, declaration in declared():
        rows = data[declaration.kind][model._meta.model_name]
        assert len(rows) == 1, model
        columns = {f.attname for f in model._meta.concrete_fields if f.name not in declaration.internal}
        missing = columns - {*rows[0], "item_id"}
        assert missing <= set(), model
        if model in made and made[model].pk and "id" in rows[0]:
            assert rows[0]["id"] == made[model].pk
        table = csv.DictReader(
            io.StringIO(archive.read(f"{declaration.kind}/{model._meta.model_name}.csv").decode("utf-8-sig"))
        )
        assert len(list(table)) == 1
    assert "Other" not in archive.read("data.json").decode()
    assert AuditEntry.objects.filter(action="customer.exported", target=f"customer:{ada.pk}").count() == 1
    assert PrivacyRequest.objects.get(kind="access", status="done", asked_by="user:boss").customer == ada


def test_the_api_gives_the_same_to_who_may_and_to_nobody_else(api, client, ada):
    assert api("get", "customers/ada-4711/personal-data").status_code == 403
    token = create_key(name="dpo", scopes=["privacy"])[1]
    path = "/api/v1/customers/ada-4711/personal-data"
    answer = client.get(path, headers={"Authorization": f"Bearer {token}"})
    assert zipfile.ZipFile(io.BytesIO(answer.content)).namelist()[:2] == ["README.txt", "data.json"]


@pytest.mark.parametrize(
    ("value", "cell"),
    [("=1+1", "'=1+1"), ("@x", "'@x"), ("\tx", "'\tx"), (-3, "-3"), ("-3", "'-3"), (None, ""), ("a", "a")],
)
def test_no_cell_is_a_formula(value, cell):
    assert safe_cell(value) == cell
