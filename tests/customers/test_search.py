"""Customers are found while one types, by an index of each column."""

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client

from personalization.access.models import User
from personalization.customers import services
from personalization.customers.models import Customer
from personalization.customers.search import _KEYS, PatternOrder, _begins, _people, matching, search

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def people() -> dict[str, Customer]:
    rows = [
        ("ada", "Ada", "Lovelace", "ada@example.com", "+442079460018"),
        ("ada-2", "Adam", "Smith", "smith@example.com", ""),
        ("c3", "李", "Ada", "li@example.com", ""),
        ("c4", "Bob", "100%_sure", "BOB@Example.com", ""),
    ]
    return {
        external_id: Customer.objects.create(
            external_id=external_id,
            first_name=first,
            last_name=last,
            email=email,
            phone=phone,
            created_at=NOW,
        )
        for external_id, first, last, email, phone in rows
    }


def ids(found) -> list[str]:
    return [customer.external_id for customer in found]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("AD", ["ada", "ada-2", "c3"]),
        ("ada lov", ["ada"]),
        ("lov ada", ["ada"]),
        ("smith@", ["ada-2"]),
        ("bob@example.com", ["c4"]),
        ("+4420", ["ada"]),
        ("李", ["c3"]),
        ("100%", ["c4"]),
        ("%", []),
        ("nobody", []),
        ("a\0da lov", ["ada"]),
    ],
)
def test_words_are_beginnings(people, words, expected):
    assert ids(search(words, limit=8)) == expected
    assert {customer.external_id for customer in matching(words)} == set(expected)


def test_the_very_id_comes_first_and_nothing_typed_shows_the_newest(people):
    assert ids(search("c3", limit=1)) == ["c3"]
    assert ids(search(f"#{people['c4'].pk}", limit=8))[0] == "c4"
    assert ids(search(" ", limit=2)) == ["c4", "c3"]


def test_shells_of_merged_profiles_are_not_found(people):
    Customer.objects.filter(external_id="ada-2").update(merged_into=people["ada"])
    assert ids(search("smith", limit=8)) == []


@pytest.mark.parametrize("name", list(_KEYS))
def test_each_beginning_is_looked_up_in_an_index_that_gives_the_order(name):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        # With so few rows sorting would be cheaper, by what the statistics say at the moment.
        cursor.execute("SET LOCAL enable_sort = off")
    plan = _people().filter(_begins(name, "ad")).order_by(PatternOrder(_KEYS[name]))[:8].explain()
    assert "Index" in plan and "Sort" not in plan and "Cond: " in plan


def test_staff_are_told_while_they_type(boss, people):
    page = boss.post("/app/customers/suggestions", {"words": "ada lov"}).content.decode()
    assert f"/app/customers/{people['ada'].pk}" in page and "Smith" not in page
    assert "Nobody" in boss.post("/app/customers/suggestions", {"words": "xyz"}).content.decode()
    page = boss.get("/admin/customers/customer/").content.decode()
    assert page.count('data-find="/app/customers/suggestions"') == 1
    assert page.count('role="search"') == 2  # the list's, and the menu's for anything
    assert Client().post("/app/customers/suggestions", {"words": "ada"}).status_code == 302


def test_the_api_filters_by_cursor(api, people):
    services.update_traits(people["c4"].pk, {"plan": "gold", "country": "GB"})
    services.link(people["c3"].pk, kind="anonymous_id", value="cookie")

    def found(**filters: object) -> list[str]:
        return ids_of(api("post", "customer-search", filters))

    assert found(q="ada") == ["ada", "ada-2", "c3"]
    assert found(email="bob@example.COM") == ["c4"]
    assert found(phone="+442079460018") == ["ada"]
    assert found(country="GB") == ["c4"]
    assert found(anonymous_id="cookie") == ["c3"]
    assert found(traits={"plan": "gold"}) == ["c4"]
    first = api("post", "customer-search?page_size=2", {"q": "ada"}).json()
    assert "ada" not in first["next"]
    assert ids_of(api("post", first["next"].split("/api/v1/")[1], {"q": "ada"})) == ["c3"]
    assert api("post", "customer-search", {"traits": [1]}).status_code == 400
    assert api("post", "customer-search", {"q": "\0"}).status_code == 400
    assert api("post", "customer-search", {"mail": "a@example.com"}).status_code == 400
    assert ids_of(api("get", "customers?country=GB")) == ["c4"]


@pytest.mark.parametrize("query", ["q=ada", "email=a@example.com", "phone=1", "anonymous_id=x", "traits={}"])
def test_what_names_a_person_is_refused_in_an_address(api, query):
    answer = api("get", f"customers?{query}")
    assert answer.status_code == 400 and "customer-search" in answer.content.decode()


def ids_of(answer) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [row["external_id"] for row in answer.json()["results"]]


def test_who_sees_masks_counts_nobody_by_country(people):
    """Rows under masks are a count as well: of the only customer of a country, for example."""
    kim = User.objects.create_user("kim", password="x", is_staff=True)
    kim.user_permissions.set(Permission.objects.filter(codename="view_customer"))
    browser = Client()
    browser.force_login(kim)
    assert browser.get("/api/v1/customers").status_code == 200
    assert browser.get("/api/v1/customers?country=GB").status_code == 403
    whole = browser.get("/admin/customers/customer/").context["cl"].result_count
    found = browser.get("/admin/customers/customer/?country__exact=GB").context["cl"]
    assert whole > 1
    assert (found.result_count, found.has_filters) == (whole, False)
