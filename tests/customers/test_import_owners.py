"""Whose rows of a file are: customer ids, former ids, e-mails and phones, by the rules of the API."""

import io
import json

import pyarrow as pa
import pytest
from django.utils import timezone

from personalization.customers.models import Customer, IdentityRule, Merge
from personalization.events.merging import merge_customers
from personalization.importing.blocks import read_batches
from personalization.importing.pipeline import load_rows
from personalization.importing.rejects import RejectsFile
from personalization.sources.kinds import importer_for

pytestmark = pytest.mark.django_db


def customer(key, **named):
    return Customer.objects.create(external_id=key, created_at=timezone.now(), **named)


def load(**columns):
    table = pa.table({name: pa.array(cells, pa.string()) for name, cells in columns.items()})
    rejects = io.StringIO()
    counts = load_rows(importer_for("customers", {}), read_batches([table]), rejects=RejectsFile(rejects))
    return counts, rejects.getvalue()


def test_a_row_without_customer_id_is_for_the_only_customer_with_its_e_mail_or_phone():
    customer("a", email="Ada@mail.example"), customer("b", phone="+442079460018")
    counts, _ = load(
        email=["ada@MAIL.example", None], phone=[None, "+44 20 7946 0018"], plan=["gold", "free"]
    )

    assert (counts.read, counts.changed, counts.rejected) == (2, 2, 0)
    plans = {key: traits.get("plan") for key, traits in Customer.objects.values_list("external_id", "traits")}
    assert plans == {"a": "gold", "b": "free"}


def test_conflicts_are_reported_row_by_row_and_lose_no_neighbor():
    customer("a", email="ada@mail.example"), customer("b", phone="+442079460018")
    customer("c", email="shared@mail.example"), customer("d", email="shared@mail.example")
    counts, rejects = load(
        email=["ada@mail.example", "shared@mail.example", "new@mail.example", None, "ada@mail.example"],
        phone=["+442079460018", None, None, None, None],
        city=["1", "2", "3", "4", "Bath"],
    )

    assert (counts.read, counts.changed, counts.rejected) == (5, 1, 4)
    assert Customer.objects.get(external_id="a").city == "Bath"
    reasons = {str(row["line"]): row["reason"] for row in map(json.loads, rejects.splitlines())}
    for line, reason in {
        "1": "different customers", "2": "several customers", "3": "no customer has",
        "4": "neither a customer id",
    }.items():  # fmt: skip
        assert reason in reasons[line]


def test_where_the_rule_lets_no_e_mail_join_none_is_matched():
    customer("a", email="ada@mail.example")
    IdentityRule.objects.update_or_create(kind="email", defaults={"joins": False})
    assert load(email=["ada@mail.example"])[0].rejected == 1


def test_an_id_given_up_in_a_merge_leads_to_whom_it_became_and_nobody_is_made_anew():
    kept, gone = customer("kept"), customer("gone")
    merge_customers(gone.pk, into_id=kept.pk, reason="staff", actor="test")
    counts, _ = load(id=["gone", "other"], city=["Bath", "Ely"])

    assert (counts.new, counts.changed) == (1, 1)
    assert Customer.objects.get(external_id="kept").city == "Bath"
    assert not Customer.objects.filter(external_id="gone").exists()


def test_a_visitor_with_the_same_e_mail_becomes_the_imported_customer():
    visitor = customer(None, email="ada@mail.example", traits={"seen": True})
    counts, rejects = load(id=["a"], email=["Ada@mail.example"])

    assert counts.new == 1, rejects
    ada = Customer.objects.get(external_id="a")
    assert ada.traits["seen"] is True
    assert Merge.objects.get().survivor_id == ada.pk
    assert not Customer.objects.filter(pk=visitor.pk).exists()


def test_loading_again_changes_nothing():
    customer("a", email="ada@mail.example")
    for _ in range(2):
        last, _rejects = load(email=["ada@mail.example"], plan=["gold"])
    assert (last.new, last.changed, last.unchanged) == (0, 0, 1)
