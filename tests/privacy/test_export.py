"""Right of access: whatever a room keeps about a person is in the export."""

import csv
import io
import json
import zipfile

import pytest

from personalization.access.jobs.work import Stopped, nobody_listens
from personalization.customers.models import Customer
from personalization.events.models import Event
from personalization.privacy import export
from personalization.privacy.declared import declared
from personalization.privacy.export import safe_cell, write_zip
from tests.privacy.making import NOW, make_rows

pytestmark = pytest.mark.django_db


def test_every_row_of_every_model_is_in_the_file(ada, tmp_path):
    made = make_rows(ada, "canary")
    Customer.objects.create(external_id="somebody-else", first_name="Other", created_at=ada.created_at)
    write_zip(ada, tmp_path / "ada.zip", nobody_listens)
    archive = zipfile.ZipFile(tmp_path / "ada.zip")
    document = json.loads(archive.read("data.json"))
    assert document["customer"] == "ada-4711"
    data = document["data"]
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
    assert "README.txt" in archive.namelist() and archive.testzip() is None


def test_it_goes_row_by_row_and_tells_how_far_it_is(ada, tmp_path, monkeypatch):
    monkeypatch.setattr(export, "TOLD_EVERY", 1)
    Event.objects.bulk_create(
        Event(customer=ada, message_key=f"{n:032x}", name=f"e{n}", occurred_at=NOW, received_at=NOW)
        for n in range(3)
    )
    told: list[float] = []
    assert write_zip(ada, tmp_path / "ada.zip", told.append) == 4  # the profile, too
    assert told == [0.25, 0.5, 0.75, 1.0]
    archive = zipfile.ZipFile(tmp_path / "ada.zip")
    events = json.loads(archive.read("data.json"))["data"]["events"]["event"]
    assert [event["name"] for event in events] == ["e0", "e1", "e2"]
    assert {name for name in archive.namelist() if name.endswith(".csv")} == {
        "profile/customer.csv", "events/event.csv",
    }  # fmt: skip

    def stop(_share: float) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        write_zip(ada, tmp_path / "again.zip", stop)


@pytest.mark.parametrize(
    ("value", "cell"),
    [("=1+1", "'=1+1"), ("@x", "'@x"), ("\tx", "'\tx"), (-3, "-3"), ("-3", "'-3"), (None, ""), ("a", "a")],
)
def test_no_cell_is_a_formula(value, cell):
    assert safe_cell(value) == cell
