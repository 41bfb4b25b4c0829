"""What a column of a file says about permission, beside what customers have said themselves."""

import io
from datetime import timedelta

import pyarrow as pa
import pytest
from django.utils import timezone

from personalization.customers.import_consents import said
from personalization.customers.models import Consent, Customer
from personalization.customers.services import record_consent
from personalization.importing.blocks import read_batches
from personalization.importing.pipeline import load_rows
from personalization.importing.rejects import RejectsFile
from personalization.importing.values import RowError
from personalization.sources.kinds import importer_for

pytestmark = pytest.mark.django_db


def load(**columns):
    table = pa.table({name: pa.array(cells) for name, cells in columns.items()})
    rejects = io.StringIO()
    counts = load_rows(importer_for("customers", {}), read_batches([table]), rejects=RejectsFile(rejects))
    return counts, rejects.getvalue()


def current():
    rows = Consent.objects.filter(is_current=True, channel="email", topic="marketing")
    return dict(rows.values_list("customer__external_id", "granted"))


def test_yes_and_no_become_statements_and_an_empty_cell_says_nothing():
    counts, _rejects = load(customer_id=list("abcde"), email_consent=["Ja", "x", "nein", "", None])

    assert (counts.new, counts.rejected) == (5, 0)
    assert current() == {"a": True, "b": True, "c": False}
    assert set(Consent.objects.values_list("source", flat=True)) == {"import"}


def test_a_cell_that_says_neither_rejects_the_row_with_its_reason():
    counts, rejects = load(customer_id=["a", "b"], email_consent=["maybe", "yes"])

    assert (counts.new, counts.rejected) == (1, 1)
    assert "email_consent: neither yes nor no" in rejects
    assert current() == {"b": True}


def test_an_imported_yes_never_overrules_a_no_but_a_no_ends_a_yes():
    for key, granted in {"refused": False, "agreed": True, "silent": None}.items():
        customer = Customer.objects.create(external_id=key, created_at=timezone.now())
        if granted is not None:
            record_consent(
                customer.pk, channel="email", topic="marketing", granted=granted, source="form",
                at=timezone.now() - timedelta(days=400),
            )  # fmt: skip
    load(customer_id=["refused", "agreed", "silent"], email_consent=["yes", "no", "yes"])

    assert current() == {"refused": False, "agreed": False, "silent": True}
    before = Consent.objects.count()
    load(customer_id=["refused", "agreed", "silent"], email_consent=["yes", "no", "yes"])
    assert Consent.objects.count() == before, "the same file again says nothing new"


def test_several_lines_of_one_customer_make_one_statement_the_last():
    load(customer_id=["a", "a"], email_consent=["yes", "no"])

    assert current() == {"a": False}


def test_truths_and_numbers_of_typed_files_are_read():
    load(customer_id=["a", "b"], email_consent=[True, False])
    load(customer_id=["c", "d"], email_consent=[1, 0])

    assert current() == {"a": True, "b": False, "c": True, "d": False}


@pytest.mark.parametrize(("cell", "expected"), [("是", "yes"), ("否", "no"), (1.0, "yes"), (" OUI ", "yes")])
def test_words_of_several_languages_are_read(cell, expected):
    assert said(cell) == expected


def test_a_sentence_is_not_read_as_a_yes():
    with pytest.raises(RowError):
        said("yes, but only on Mondays")
