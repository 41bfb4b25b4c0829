"""Who sees whom: masks for those who work without personal data, a note for every look of the others."""

import re
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.test import Client

from personalization.access.models import PersonalRead, User
from personalization.access.services import create_key
from personalization.customers.models import Customer
from personalization.customers.pseudonyms import pseudonym

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> Customer:
    return Customer.objects.create(
        external_id="ada-4711", email="ada@lovelace.example", first_name="Ada", language="en", country="GB",
        traits={"title": "Countess"}, created_at=datetime(2026, 3, 1, tzinfo=UTC),
    )  # fmt: skip


def member(role: str) -> Client:
    call_command("ensure_roles")
    user = User.objects.create_user(role.lower(), is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    client = Client()
    client.force_login(user)
    return client


def reads() -> list[tuple[str, str, list[int]]]:
    return list(PersonalRead.objects.order_by("id").values_list("actor", "page", "customer_ids"))


def test_an_analyst_works_with_masks_and_leaves_no_trace(ada):
    analyst = member("Analyst")
    page = analyst.get(f"/app/customers/{ada.pk}").content.decode()
    assert f"Customer {ada.pk}" in page and "GB" in page
    assert not any(text in page for text in ("Ada", "lovelace", "4711", "Countess"))
    row = analyst.get("/api/v1/customers").json()["results"][0]
    assert (row["id"], row["email"], row["language"], row["traits"]) == (ada.pk, "•••", "en", {})
    assert "lovelace" not in analyst.get("/admin/customers/customer/").content.decode()
    assert reads() == []


@pytest.mark.parametrize("query", ["", "email__startswith=ada", "first_name=Ada", "o=2"])
def test_an_analyst_finds_nobody_by_what_is_masked(ada, query):
    Customer.objects.create(external_id="bob", email="bob@example.com", created_at=ada.created_at)
    analyst = member("Analyst")
    words = {} if query else {"words": "ada"}
    ask = analyst.get if query else analyst.post
    answer = ask(f"/admin/customers/customer/?{query}", words, follow=True)
    shown = set(re.findall(r"/app/customers/(\d+)", answer.content.decode()))
    assert len(shown) in (0, 2)  # refused, or not narrowed down
    assert analyst.get(f"/admin/customers/customer/{ada.pk}/change/").status_code in (302, 403)
    assert analyst.get(f"/admin/customers/customer/{ada.pk}/history/").status_code in (302, 403)
    assert "Ada" not in analyst.get("/admin/search/", {"s": "ada"}).content.decode()
    found = analyst.post(
        "/app/campaigns/preview/customers", {"words": "ada"}, content_type="application/json"
    )
    assert found.json() == {"customers": []}


def test_who_may_see_is_noted_by_page_and_customer(ada):
    manager = member("Data manager")
    assert "Countess" in manager.get(f"/app/customers/{ada.pk}").content.decode()
    manager.get("/admin/customers/customer/")
    manager.get("/api/v1/customers/ada-4711")
    assert reads() == [
        ("user:data manager", "profile", [ada.pk]),
        ("user:data manager", "customer list", [ada.pk]),
        ("user:data manager", "API: customer", [ada.pk]),
    ]
    boss = Client()
    boss.force_login(User.objects.create_superuser("boss", password="x"))
    found = boss.post("/admin/access/personalread/", {"words": str(ada.pk)}, follow=True).content.decode()
    assert found.count("data manager") == 3
    nobody = boss.post("/admin/access/personalread/", {"words": "99999"}, follow=True)
    assert nobody.content.decode().count("data manager") == 0


def test_a_program_reads_what_its_key_says(ada):
    token = create_key(name="crm", scopes=["customers:read"])[1]
    answer = Client().get("/api/v1/customers/ada-4711", headers={"Authorization": f"Bearer {token}"})
    assert answer.json()["email"] == "ada@lovelace.example"
    assert reads() == []


def test_a_pseudonym_is_stable_and_needs_the_key(settings):
    first = pseudonym(7)
    assert first == pseudonym(7) != pseudonym(8)
    assert len(first) == 21
    settings.ADDRESS_KEY = "another"
    assert pseudonym(7) != first
