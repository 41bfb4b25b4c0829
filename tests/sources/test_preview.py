"""The first look at an uploaded file: how it would be read, and what is missing."""

import pytest

from personalization.access.models import User
from personalization.sources import services
from personalization.sources.preview import preview

pytestmark = pytest.mark.django_db
SPREADSHEET = (
    "Kunden-Nr.;Schreibt an;Vorname;Ort\r\nK1;ada@example.com;Ada;Köln\r\n"
    "K2;;Bob;Bonn\r\nK3;eve@example.com;Eve;\r\n"
)


def test_heads_of_a_german_spreadsheet_are_known_and_addresses_are_found_by_what_they_are(upload):
    job = services.take_file(upload(SPREADSHEET), kind="customers", actor="user:ada")
    assert preview(job).mapping == {
        "Kunden-Nr.": "external_id", "Schreibt an": "email", "Vorname": "first_name", "Ort": "city",
    }  # fmt: skip


def test_what_somebody_mapped_is_not_guessed_anew(upload):
    job = services.take_file(upload(SPREADSHEET), kind="customers", actor="user:ada")
    job.options = {"columns": {"external_id": ["Kunden-Nr."], "email": []}}
    assert preview(job).mapping["Schreibt an"] == ""


def test_a_column_that_somebody_keeps_as_a_trait_is_not_checked_as_a_field(upload):
    content = "id,city,phone\n1,Bath,5E+11\n"
    job = services.take_file(upload(content), kind="customers", actor="user:ada")
    assert preview(job).faults == 1
    job.options = {"columns": {"external_id": ["id"], "phone": []}}
    assert preview(job).faults == 0


def test_a_file_of_purchases_keeps_what_was_chosen_and_says_where_to_name_them(upload, client):
    client.force_login(User.objects.create_superuser("ada", password="x"))
    content = "Date,Customer ID,Paid\n2026-01-02,K1,4.90\n"
    job = services.take_file(upload(content), kind="events", actor="user:ada")
    sent = {"column": ["Date", "Customer ID", "Paid"], "field": ["occurred_at", "customer", "value"]}
    page = client.post(f"/app/data/imports/{job.pk}/options", sent | {"action": "start"}, follow=True)
    told = page.content.decode()
    assert "Still without a column: What happened" in told and "Name of all events” above" in told
    assert "the field event" not in told
    job.refresh_from_db()
    assert (job.status, job.options["columns"]["value"]) == ("draft", ["Paid"])


def test_without_an_id_the_page_says_what_is_missing_and_not_a_fault_in_every_row(upload, client):
    client.force_login(User.objects.create_superuser("ada", password="x"))
    job = services.take_file(upload("plan\ngold\nfree\n"), kind="customers", actor="user:ada")
    page = client.get(f"/app/data/imports/{job.pk}/").content.decode()
    assert "Still without a column: Customer id or E-mail or Phone" in page
    assert "there is neither a customer id" not in page
    assert "choose “Agreed to e-mail” above it" in page


def test_a_file_of_addresses_alone_is_told_beforehand_that_new_customers_need_an_id(upload, client):
    client.force_login(User.objects.create_superuser("ada", password="x"))
    alone, whole = (
        services.take_file(upload(content), kind="customers", actor="user:ada")
        for content in ("E-Mail\nada@example.com\n", "Customer id,E-Mail\n7,ada@example.com\n")
    )
    told = "new customers are rejected"
    assert told in client.get(f"/app/data/imports/{alone.pk}/").content.decode()
    assert told not in client.get(f"/app/data/imports/{whole.pk}/").content.decode()
