"""The catalog of traits, declarations by API and form, and values that move under seal."""

import json
from datetime import UTC, datetime

import pytest
from django.test import Client

from personalization.access.models import AuditEntry, User
from personalization.access.services import create_key
from personalization.customers import selectors
from personalization.customers.declarations import SealedTrait, TraitDeclaration
from personalization.customers.declared import SEALED
from personalization.customers.models import Customer, TraitChange
from personalization.customers.services import update_traits
from personalization.segments.errors import InvalidDefinition
from personalization.segments.services import save_segment
from personalization.traits import declarations
from personalization.traits.models import TraitDefinition

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def call():
    token = create_key(name="crm", scopes=["customers:read", "customers:write"])[1]
    client = Client(headers={"Authorization": f"Bearer {token}"})

    def call(method: str, path: str, body=None):
        data = None if body is None else json.dumps(body)
        return getattr(client, method)(f"/api/v1/{path}", data, content_type="application/json")

    return call


@pytest.fixture
def boss() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("boss", password="x"))
    return client


@pytest.fixture
def people() -> list[Customer]:
    return Customer.objects.bulk_create(
        Customer(external_id=f"c{n}", created_at=NOW, traits={"plan": "gold" if n % 3 else "free", "age": n})
        for n in range(30)
    )


def entry(call, name: str) -> dict:
    return next(row for row in call("get", "trait-catalog").json() if row["name"] == name)


def test_a_discovered_trait_is_suggested_declared_and_then_holds(call, people, settings):
    settings.K_ANONYMITY = 15
    found = entry(call, "plan")
    assert found["origin"] == "discovered"
    assert found["suggestion"] == {"value_type": "text", "allowed": ["free", "gold"]}
    assert found["examples"] == ["gold"]  # ten people are on the free plan: too few to be told
    assert call("post", "trait-declarations", {"name": "plan", **found["suggestion"]}).status_code == 201
    declared = entry(call, "plan")
    assert (declared["origin"], declared["customers"], declared["misfits"]) == ("declared", 30, 0)
    assert call("patch", "customers/c1", {"traits": {"plan": "lead"}}).status_code == 400
    assert AuditEntry.objects.get(action="trait.declared").target == "trait:plan"


def test_values_that_do_not_fit_are_counted(call, people):
    call("post", "trait-declarations", {"name": "age", "value_type": "whole", "maximum": 19})
    assert entry(call, "age")["misfits"] == 10


def test_the_catalog_knows_computed_and_standard_traits(call, people):
    TraitDefinition.objects.all().delete()
    TraitDefinition.objects.create(name="orders", kind="count")
    assert entry(call, "orders")["origin"] == "computed"
    assert entry(call, "email")["origin"] == "standard"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"name": "firstName"}, "/name"),
        ({"name": "orders"}, "/name"),
        ({"name": " "}, "/name"),
        ({"name": "x", "value_type": "shape"}, "/value_type"),
        ({"name": "x", "value_type": "whole", "allowed": ["one"]}, "/allowed"),
        ({"name": "x", "value_type": "date", "minimum": 1}, "/minimum"),
        ({"name": "x", "minimum": 3, "maximum": 1}, "/maximum"),
        ({"name": "plan"}, "/name"),
    ],
)
def test_a_declaration_that_makes_no_sense_is_refused_with_its_place(call, body, pointer):
    TraitDefinition.objects.update_or_create(name="orders", defaults={"kind": "count"})
    TraitDeclaration.objects.create(name="plan")
    answer = call("post", "trait-declarations", body)
    assert answer.status_code == 400
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


def test_a_computed_trait_takes_no_declared_name(call):
    TraitDeclaration.objects.create(name="orders_total")
    answer = call("post", "traits", {"name": "orders_total", "kind": "count"})
    assert answer.status_code == 400


def test_declarations_are_listed_changed_and_removed(call):
    call("post", "trait-declarations", {"name": "age", "value_type": "whole"})
    assert [row["name"] for row in call("get", "trait-declarations").json()["results"]] == ["age"]
    assert call("patch", "trait-declarations/age", {"maximum": 120}).json()["maximum"] == 120
    assert call("get", "trait-declarations/age").json()["value_type"] == "whole"
    assert call("delete", "trait-declarations/age").status_code == 204
    assert call("get", "trait-declarations/age").status_code == 404


def test_values_move_under_seal_and_out_of_it_again(people):
    update_traits(people[0].pk, {"plan": "free", "age": 0})
    update_traits(people[0].pk, {"plan": "gold"})
    plan = declarations.save_declaration(TraitDeclaration(name="plan", is_encrypted=True))
    assert declarations.move_values() == 30
    assert declarations.move_values() == 0
    assert set(Customer.objects.values_list("traits__plan", flat=True)) == {SEALED}
    assert set(TraitChange.objects.filter(name="plan").values_list("value", flat=True)) == {SEALED}
    assert selectors.profiles([people[0].pk])[people[0].pk]["traits"] == {"plan": "gold", "age": 0}
    with pytest.raises(declarations.InvalidTraits):
        declarations.remove_declaration(plan)
    plan.is_encrypted = False
    declarations.save_declaration(plan)
    assert declarations.move_values() == 30
    assert not SealedTrait.objects.exists()
    assert Customer.objects.filter(traits__plan="gold").count() == 21
    declarations.remove_declaration(plan)


def test_segments_ask_of_an_encrypted_trait_only_whether_it_is_known(people):
    declarations.save_declaration(TraitDeclaration(name="plan", is_encrypted=True))
    declarations.move_values()
    asked = {"all": [{"not": {"trait": "plan", "op": "is", "value": "gold"}}]}
    with pytest.raises(InvalidDefinition) as refused:
        save_segment(None, name="Gold", definition=asked)
    assert refused.value.errors[0]["pointer"] == "/definition/all/0/not/op"
    save_segment(None, name="Any plan", definition={"all": [{"trait": "plan", "op": "exists"}]})


def test_staff_declare_what_the_page_suggests(boss, people):
    page = boss.get("/app/traits/").content.decode()
    assert "/admin/customers/traitdeclaration/add/?name=plan" in page
    form = boss.get("/admin/customers/traitdeclaration/add/?name=plan").context["adminform"].form
    assert (form.initial["value_type"], form.initial["allowed"]) == ("text", ["free", "gold"])
    fields = {
        "name": "plan", "value_type": "text", "allowed": '["free", "gold"]', "on_bad_value": "refuse",
        "sensitivity": "personal",
    }  # fmt: skip
    answer = boss.post("/admin/customers/traitdeclaration/add/", fields | {"minimum": 9, "maximum": 1})
    assert "The maximum is below the minimum." in answer.content.decode()
    answer = boss.post("/admin/customers/traitdeclaration/add/", fields)
    assert (answer.status_code, answer["Location"]) == (302, "/app/traits/")
    assert TraitDeclaration.objects.get().allowed == ["free", "gold"]


def test_an_encrypted_declaration_is_not_deleted_by_form(boss):
    plan = TraitDeclaration.objects.create(name="plan", is_encrypted=True)
    answer = boss.post(f"/admin/customers/traitdeclaration/{plan.pk}/delete/", {"post": "yes"}, follow=True)
    assert "Switch encryption off first" in answer.content.decode()
    assert TraitDeclaration.objects.exists()
