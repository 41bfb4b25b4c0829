import json
import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from personalization.access.models import AuditEntry, User
from personalization.access.services import create_key
from personalization.customers.models import Customer
from personalization.traits.models import TraitDefinition
from personalization.traits.refreshing import refresh_due
from tests.traits.conftest import NOW


@pytest.fixture
def call(ada):
    token = create_key(name="crm", scopes=["customers:read", "customers:write"])[1]
    client = Client(headers={"Authorization": f"Bearer {token}"})

    def call(method: str, path: str, body=None):
        data = None if body is None else json.dumps(body)
        return getattr(client, method)(f"/api/v1/{path}", data, content_type="application/json")

    return call


def test_a_trait_is_made_read_changed_and_removed_with_its_values(call, ada, happen):
    happen(ada, days_ago=3)
    made = call("post", "traits", {"name": "orders", "kind": "count", "window_days": 30})
    assert made.status_code == 201, made.content
    assert made.json()["formula"] == "number of events “Order Completed” of the last 30 days"
    refresh_due(now=NOW)
    assert Customer.objects.get().traits == {"orders": 1}
    assert call("get", "traits").json()["results"][0]["covered"] == 1
    assert call("patch", "traits/orders", {"window_days": 2}).json()["window_days"] == 2
    refresh_due(now=NOW)
    assert Customer.objects.get().traits == {}
    Customer.objects.update(traits={"orders": 1})
    before = Customer.objects.get().updated_at
    assert call("delete", "traits/orders").status_code == 204
    assert Customer.objects.get().traits == {}
    assert Customer.objects.get().updated_at == before  # nobody did anything that keeps a profile from aging
    assert list(AuditEntry.objects.order_by("id").values_list("action", flat=True))[-3:] == [
        "trait.saved", "trait.saved", "trait.removed",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"name": "email", "kind": "count"}, "/name"),
        ({"name": "Big Name", "kind": "count"}, "/name"),
        ({"name": "x", "kind": "guess"}, "/kind"),
        ({"name": "x", "kind": "count", "event": ""}, "/event"),
        ({"name": "x", "kind": "count", "filter": {"a": {"b": 1}}}, "/filter"),
        ({"name": "x", "kind": "count", "window_days": 0}, "/window_days"),
    ],
)
def test_a_wrong_definition_is_refused_with_its_field(call, body, pointer):
    answer = call("post", "traits", body)
    assert answer.status_code == 400
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]
    assert not TraitDefinition.objects.exists()


def test_the_page_lists_formulas_and_coverage(ada, define):
    define("orders", "count", window_days=30)
    define("churn", "churn", problem="Too little data to tell", refreshed_at=NOW)
    boss = Client()
    boss.force_login(User.objects.create_superuser("boss", password="x"))
    page = boss.get("/admin/traits/traitdefinition/").content.decode()
    assert "of the last 30 days" in page and "Too little data to tell" in page
    form = boss.get("/admin/traits/traitdefinition/add/")
    assert form.status_code == 200
    data = {"name": "clicks", "kind": "count", "event": "Message Clicked", "filter": "{}", "is_active": "on"}
    assert boss.post("/admin/traits/traitdefinition/add/", data).status_code == 302
    assert TraitDefinition.objects.filter(name="clicks").exists()


def test_staff_without_personal_data_see_numbers_of_customers_in_steps(ada, define, settings):
    settings.K_ANONYMITY = 10
    define("orders", "count", covered=67, refreshed_at=NOW)
    define("clicks", "count", covered=4, refreshed_at=NOW)
    Customer.objects.bulk_create([Customer(traits={"plan": "gold"}, created_at=NOW) for _ in range(23)])
    kim = User.objects.create_user("kim", password="x", is_staff=True)
    kim.user_permissions.set(
        Permission.objects.filter(codename__in=["view_traitdefinition", "view_traitdeclaration"])
    )
    client = Client()
    client.force_login(kim)
    page = client.get("/admin/traits/traitdefinition/").content.decode()
    assert "60 customers" in page and "&lt; 10 customers" in page
    assert "67 customers" not in page and "4 customers" not in page
    catalog = re.sub(r"<[^>]+>|\s+", " ", client.get("/app/traits/").content.decode())
    assert " 20 " in catalog.partition("plan")[2][:120]
    boss = Client()
    boss.force_login(User.objects.create_superuser("boss", password="x"))
    assert "67 customers" in boss.get("/admin/traits/traitdefinition/").content.decode()


def test_a_trait_is_computed_for_everybody_and_stopped_by_a_call(call, ada, happen, define):
    happen(ada)
    definition = define("orders", "count")
    refresh_due(now=NOW)
    asked = call("post", "traits/orders/compute")
    assert (asked.status_code, asked.json()["share_done"]) == (202, None)
    began = timezone.now() - timedelta(minutes=1)
    TraitDefinition.objects.update(started_at=began, share_done=0.75)
    told = call("get", "traits/orders").json()
    assert told["share_done"] == 0.75 and 20 <= told["seconds_left"] <= 22
    stopped = call("post", "traits/orders/stop").json()
    assert (stopped["is_active"], stopped["share_done"], stopped["seconds_left"]) == (False, None, None)
    definition.refresh_from_db()
    assert definition.full_at is None
    assert Customer.objects.get().traits == {"orders": 1}
