import json

import pytest
from django.utils import timezone

from personalization.customers.models import Customer
from personalization.events.merging import merge_customers
from personalization.privacy import remembered, requests
from personalization.privacy.models import PrivacyRequest

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def notes(settings, tmp_path):
    settings.BACKUP_KEY_DIR = str(tmp_path)
    return tmp_path / remembered.NAME


def customer(**named) -> Customer:
    return Customer.objects.create(created_at=timezone.now(), **named)


def erase(person: Customer) -> dict:
    """Answers the row as an older backup would bring it back."""
    [row] = Customer.objects.filter(pk=person.pk).values()
    requests.carry_out(requests.ask_erasure(person.pk, actor="user:kim").pk)
    return row


def test_who_comes_back_with_a_backup_is_erased_again_and_nobody_else(notes):
    zelda, other = customer(external_id="17", email="zelda@mail.example"), customer(external_id="bob")
    row = erase(zelda)
    assert list(remembered.returned()) == []
    Customer.objects.create(**row)
    assert requests.erase_again(actor="system:restore") == 1
    assert list(Customer.objects.values_list("pk", flat=True)) == [other.pk]
    done = PrivacyRequest.objects.order_by("pk").last()
    assert (done.status, done.asked_by) == ("done", "system:restore")


def test_a_number_that_was_given_anew_is_somebody_else(notes):
    row = erase(customer(external_id="zelda", email="zelda@mail.example"))
    Customer.objects.create(**row | {"external_id": "bob", "email": "bob@mail.example"})
    assert requests.erase_again(actor="system:restore") == 0


def test_an_address_that_changed_since_the_backup_hides_nobody(notes):
    zelda = customer(external_id="zelda", email="old@mail.example")
    [row] = Customer.objects.filter(pk=zelda.pk).values()
    Customer.objects.filter(pk=zelda.pk).update(email="new@mail.example")
    erase(zelda)
    Customer.objects.create(**row)
    assert list(remembered.returned()) == [zelda.pk]


def test_profiles_that_were_one_person_come_back_as_two_and_both_go(notes):
    known, before = customer(external_id="zelda", email="zelda@mail.example"), customer(external_id="z-old")
    rows = list(Customer.objects.order_by("pk").values())
    merge_customers(before.pk, into_id=known.pk, reason="staff", actor="test")
    erase(Customer.objects.get(external_id="zelda"))
    Customer.objects.bulk_create(Customer(**row) for row in rows)
    assert requests.erase_again(actor="system:restore") == 2
    assert not Customer.objects.exists()


def test_nobody_who_reads_the_notes_learns_who_it_was(notes):
    erase(customer(external_id="zelda-4711", email="zelda@mail.example"))
    assert "zelda" not in notes.read_text()
    assert notes.stat().st_mode & 0o777 == 0o600


def test_half_a_line_loses_no_other(notes):
    row = erase(customer(external_id="zelda-4711"))
    notes.write_text('\n{"customer": 1, "has' + notes.read_text())
    assert [set(json.loads(line)) for line in notes.read_text().splitlines()[2:]] == [{"customer", "hashes"}]
    Customer.objects.create(**row)
    assert list(remembered.returned()) == [row["id"]]


def test_without_sealed_backups_nothing_is_noted(notes, settings):
    settings.BACKUP_KEY_DIR = ""
    erase(customer(external_id="zelda-4711"))
    assert not notes.exists()
    assert list(remembered.returned()) == []
