"""Traits that are kept encrypted: nowhere in clear, and yet usable by whoever may."""

from datetime import UTC, datetime
from io import StringIO

import pyarrow as pa
import pytest
from cryptography.fernet import InvalidToken
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import connection
from django.test import Client

from personalization.access.encryption import Undecipherable
from personalization.access.models import User
from personalization.access.services import create_key
from personalization.customers import selectors
from personalization.customers.declarations import SealedTrait, TraitDeclaration
from personalization.customers.declared import SEALED, rules_of
from personalization.customers.importing import CustomerImporter
from personalization.customers.models import Customer, MergeReason, TraitChange
from personalization.customers.services import update_traits
from personalization.events.merging import merge_customers, unmerge
from personalization.importing.blocks import read_batches
from personalization.importing.pipeline import load_rows
from personalization.importing.rejects import RejectsFile

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 1, tzinfo=UTC)
SECRET = "AB 12 34 56 C"


@pytest.fixture(autouse=True)
def declared() -> TraitDeclaration:
    return TraitDeclaration.objects.create(name="insurance_number", is_encrypted=True, maximum=20)


@pytest.fixture
def ada() -> Customer:
    ada = Customer.objects.create(external_id="ada", created_at=NOW)
    update_traits(ada.pk, {"insurance_number": SECRET, "plan": "gold"})
    return ada


def raw_value() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT value FROM customers_sealedtrait")
        return cursor.fetchone()[0]


def shown(customer: Customer) -> dict:
    return selectors.profiles([customer.pk])[customer.pk]["traits"]


def test_the_profile_holds_a_mark_the_history_too_and_templates_get_the_value(ada):
    ada.refresh_from_db()
    assert ada.traits == {"insurance_number": SEALED, "plan": "gold"}
    assert SECRET not in str(list(TraitChange.objects.values_list("value", flat=True)))
    assert SECRET not in raw_value()
    assert shown(ada) == {"insurance_number": SECRET, "plan": "gold"}


def test_a_changed_value_replaces_the_old_one_and_removal_removes_it(ada):
    update_traits(ada.pk, {"insurance_number": "other"})
    assert shown(ada)["insurance_number"] == "other"
    update_traits(ada.pk, {"insurance_number": SEALED})  # a client that sends back what it was shown
    assert shown(ada)["insurance_number"] == "other"
    update_traits(ada.pk, {"insurance_number": None})
    assert shown(ada) == {"plan": "gold"}
    assert not SealedTrait.objects.exists()


def test_files_are_encrypted_too_and_the_last_line_of_a_customer_counts():
    rows = {"id": ["a", "b", "a", "c"], "insurance_number": ["one", "two", "three", None]}
    for _ in range(2):
        load_rows(CustomerImporter(rules=rules_of()), read_batches([pa.record_batch(rows)]))
    found = {row.customer.external_id: row.value for row in SealedTrait.objects.select_related("customer")}
    assert found == {"a": '"three"', "b": '"two"'}
    assert Customer.objects.get(external_id="c").traits == {}
    assert not Customer.objects.filter(traits__insurance_number="three").exists()


def test_rejected_rows_are_kept_without_it():
    rows = {"id": ["a"], "email": ["nobody"], "insurance_number": [SECRET]}
    rejects = StringIO()
    importer = CustomerImporter(rules=rules_of())
    assert (
        load_rows(importer, read_batches([pa.record_batch(rows)]), rejects=RejectsFile(rejects)).rejected == 1
    )
    assert SECRET not in rejects.getvalue()
    assert SEALED in rejects.getvalue()


def test_it_follows_a_merge_and_comes_back(ada):
    bob = Customer.objects.create(external_id="bob", created_at=NOW)
    merge = merge_customers(ada.pk, into_id=bob.pk, reason=MergeReason.STAFF, actor="user:kim")
    assert shown(bob)["insurance_number"] == SECRET
    assert SECRET not in str(merge.record)
    unmerge(merge.pk, actor="user:kim")
    assert shown(Customer.objects.get(external_id="ada"))["insurance_number"] == SECRET
    assert "insurance_number" not in shown(bob)


def test_new_keys_take_over_by_the_command(ada, settings):
    old = settings.DATA_KEYS
    settings.DATA_KEYS = ["a new key of thirty-two characters", *old]
    before = raw_value()
    call_command("rotate_keys", stdout=StringIO())
    assert raw_value() != before
    settings.DATA_KEYS = ["a new key of thirty-two characters"]
    assert shown(ada)["insurance_number"] == SECRET
    settings.DATA_KEYS = ["the key was destroyed, nobody reads it"]
    with pytest.raises((Undecipherable, InvalidToken)):
        shown(ada)


@pytest.mark.parametrize(
    ("role", "expected"), [("Data manager", SECRET), ("Campaign manager", "•••"), ("Viewer", None)]
)
def test_the_profile_page_shows_it_by_role(ada, role, expected):
    call_command("ensure_roles", stdout=StringIO())
    user = User.objects.create_user("kim", password="x", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    client = Client()
    client.force_login(user)
    page = client.get(f"/app/customers/{ada.pk}").content.decode()
    assert (SECRET in page) == (expected == SECRET)
    assert SEALED not in page
    if expected:
        assert expected in page


@pytest.mark.parametrize(
    ("scopes", "expected"), [(["customers:read"], "•••"), (["customers:read", "privacy"], SECRET)]
)
def test_programs_see_it_by_scope(ada, scopes, expected):
    token = create_key(name="crm", scopes=scopes)[1]
    client = Client(headers={"Authorization": f"Bearer {token}"})
    assert client.get("/api/v1/customers/ada").json()["traits"]["insurance_number"] == expected
    listed = client.get("/api/v1/customers").json()["results"][0]["traits"]
    assert listed["insurance_number"] == expected


def test_saving_the_form_without_touching_it_changes_nothing(boss, ada):
    page = boss.get(f"/admin/customers/customer/{ada.pk}/change/")
    traits = page.context["adminform"].form["traits"].value()
    answer = boss.post(
        f"/admin/customers/customer/{ada.pk}/change/", {"external_id": "ada", "traits": traits}
    )
    assert answer.status_code == 302
    assert shown(ada) == {"insurance_number": SECRET, "plan": "gold"}
    ada.refresh_from_db()
    assert ada.traits["insurance_number"] == SEALED
