"""Declared traits on every way in."""

import io
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from personalization.customers.declarations import TraitDeclaration
from personalization.customers.declared import SEALED, rules_of
from personalization.customers.errors import InvalidTraits
from personalization.customers.importing import CustomerImporter
from personalization.customers.models import Customer, TraitChange
from personalization.customers.services import update_traits, write_traits
from personalization.customers.traits import SplitTraits
from personalization.importing.blocks import read_batches
from personalization.importing.pipeline import load_rows
from personalization.importing.rejects import RejectsFile

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def ada() -> Customer:
    return Customer.objects.create(external_id="ada", created_at=NOW)


@pytest.fixture(autouse=True)
def declared():
    TraitDeclaration.objects.create(name="age", value_type="whole", minimum=0, maximum=120)
    TraitDeclaration.objects.create(name="plan", allowed=["free", "gold"], on_bad_value="keep")


def traits_of(external_id: str) -> dict:
    return Customer.objects.get(external_id=external_id).traits


def load(columns: dict):
    rejects = io.StringIO()
    batches = [pa.record_batch(columns)]
    counts = load_rows(
        CustomerImporter(rules=rules_of()), read_batches(batches), rejects=RejectsFile(rejects)
    )
    return counts, rejects.getvalue()


def test_a_value_is_stored_as_the_declared_type(ada):
    update_traits(ada.pk, {"age": "33", "plan": " gold", "other": "33"})
    assert traits_of("ada") == {"age": 33, "plan": "gold", "other": "33"}


def test_a_bad_value_is_named_and_nothing_of_the_call_is_written(ada):
    with pytest.raises(InvalidTraits) as refused:
        update_traits(ada.pk, {"age": 999, "other": 1})
    assert refused.value.errors == [{"pointer": "/traits/age", "detail": "more than 120"}]
    assert traits_of("ada") == {}


def test_the_api_says_which_trait_it_was(api, ada):
    answer = api("patch", "customers/ada", {"traits": {"age": "old", "other": 1}})
    assert answer.status_code == 400
    assert answer.json()["errors"] == [{"pointer": "/traits/age", "detail": "not a number"}]


def test_a_bad_value_may_be_kept_as_it_came(ada):
    update_traits(ada.pk, {"plan": {"tier": 7}})
    assert traits_of("ada") == {"plan": {"tier": 7}}


def test_removing_a_declared_trait_is_always_possible(ada):
    update_traits(ada.pk, {"age": 33})
    update_traits(ada.pk, {"age": None})
    assert traits_of("ada") == {}


def test_of_many_changes_only_the_bad_values_are_left_out(ada):
    bob = Customer.objects.create(external_id="bob", created_at=NOW)
    refused = write_traits(
        [(ada.pk, SplitTraits({}, {"age": -1, "x": 1})), (bob.pk, SplitTraits({}, {"age": 4, "x": 2}))]
    )
    assert [(one.position, one.name) for one in refused] == [(0, "age")]
    assert (traits_of("ada"), traits_of("bob")) == ({"x": 1}, {"age": 4, "x": 2})


@pytest.mark.parametrize("ages", [["33", "old", "5"], [33, 999, 5]])
def test_a_file_loses_the_bad_row_alone_and_says_why(ages):
    counts, rejects = load({"id": ["a", "b", "c"], "age": pa.array(ages), "plan": ["gold", "free", "lead"]})
    assert (counts.new, counts.rejected) == (2, 1)
    assert traits_of("a") == {"age": 33, "plan": "gold"}
    assert traits_of("c") == {"age": 5, "plan": "lead"}
    assert "age: " in rejects
    assert not Customer.objects.filter(external_id="b").exists()


def test_a_file_may_hold_a_declared_number_and_gaps():
    TraitDeclaration.objects.create(name="size", value_type="number")
    load({"id": ["a", "b", "c"], "size": ["1", "2.5", None], "age": pa.nulls(3)})
    assert [traits_of(one) for one in "abc"] == [{"size": 1}, {"size": 2.5}, {}]


def test_what_we_compute_is_not_held_against_a_declaration(ada):
    write_traits([(ada.pk, SplitTraits({}, {"age": -1}))], by_us=True)
    assert traits_of("ada") == {"age": -1}


def test_the_form_of_staff_refuses_too_and_keeps_the_history(boss, ada):
    update_traits(ada.pk, {"x": 1})
    url = f"/admin/customers/customer/{ada.pk}/change/"
    data = {"external_id": "ada", "traits": '{"age": 500, "x": 1}'}
    assert "more than 120" in boss.post(url, data).content.decode()
    assert boss.post(url, data | {"traits": '{"age": "50"}'}).status_code == 302
    assert traits_of("ada") == {"age": 50}
    changes = TraitChange.objects.filter(customer=ada).order_by("pk").values_list("name", "value")
    assert list(changes)[1:] == [("age", 50), ("x", None)] or list(changes)[1:] == [("x", None), ("age", 50)]


def test_the_mark_of_an_encrypted_value_means_nothing_elsewhere(ada):
    update_traits(ada.pk, {"note": SEALED})
    assert traits_of("ada") == {"note": SEALED}
