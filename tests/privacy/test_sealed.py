"""What a dump tells of a trait that is kept encrypted: nothing, also of values from before."""

import pytest

from personalization.customers.declarations import SealedTrait, TraitDeclaration
from personalization.customers.models import Customer
from personalization.customers.services import update_traits
from personalization.events.merging import merge_customers
from personalization.privacy.erasure import erase
from personalization.traits.declarations import move_values, save_declaration
from tests.privacy.making import NOW
from tests.privacy.test_erasure import full_text_of_the_database
from tests.privacy.unpacking import data_of

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = "canarysecret"


def test_a_dump_does_not_hold_it_an_export_does_and_an_erasure_removes_it():
    ada = Customer.objects.create(external_id="ada", created_at=NOW, traits={"passport": f"{SECRET}0"})
    twin = Customer.objects.create(external_id="twin", created_at=NOW, traits={"passport": f"{SECRET}1"})
    update_traits(ada.pk, {"passport": f"{SECRET}2"})
    merge_customers(twin.pk, into_id=ada.pk, reason="staff", actor="user:kim")
    assert SECRET in full_text_of_the_database()
    save_declaration(TraitDeclaration(name="passport", is_encrypted=True))
    move_values()
    update_traits(ada.pk, {"passport": f"{SECRET}3"})
    assert SECRET not in full_text_of_the_database()
    ada.refresh_from_db()
    assert [row["value"] for row in data_of(ada)["profile"]["sealedtrait"]] == [f'"{SECRET}3"']
    assert erase(ada.pk) is not None
    assert not SealedTrait.objects.exists()
