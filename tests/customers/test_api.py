from datetime import UTC, datetime

import pytest
from django.test import Client

from personalization.access.models import AuditEntry
from personalization.access.services import create_key
from personalization.customers.models import Consent, Customer
from personalization.customers.services import suppress

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def ada() -> Customer:
    return Customer.objects.create(external_id="ada", email="ada@example.com", created_at=NOW)


def test_a_customer_is_read_and_changed_by_the_shops_own_id(api, ada):
    answer = api("patch", "customers/ada", {"city": "Leeds", "country": "gb", "traits": {"plan": "gold"}})
    assert answer.status_code == 200, answer.content
    api("patch", "customers/ada", {"city": None, "traits": {"plan": None, "n": 1}})
    shown = api("get", "customers/ada").json()
    assert (shown["email"], shown["city"], shown["country"], shown["traits"]) == (
        "ada@example.com", "", "GB", {"n": 1},
    )  # fmt: skip
    entry = AuditEntry.objects.filter(action="customer.changed").latest("at")
    assert entry.detail == {"fields": ["city", "traits"]}
    assert "Leeds" not in str(entry.detail)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"email": "nobody"}, "/email"),
        ({"country": "ZZZ"}, "/country"),
        ({"traits": [1]}, "/traits"),
        ({"surname": "x"}, "/surname"),
        ({"time_zone": "Mars/Olympus"}, "/time_zone"),
    ],
)
def test_an_unusable_value_is_named_and_nothing_changes(api, ada, body, pointer):
    answer = api("patch", "customers/ada", {"city": "Leeds", **body})
    assert answer.status_code == 400
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]
    ada.refresh_from_db()
    assert ada.city == ""


def test_consent_is_put_and_shown(api, ada):
    path = "customers/ada/consents/email/marketing"
    assert api("put", path, {"granted": True, "source": "form"}).status_code == 200
    assert api("put", path, {"granted": False, "source": "call"}).json()["granted"] is False
    assert [c["granted"] for c in api("get", "customers/ada").json()["consents"]] == [False]
    assert Consent.objects.count() == 2
    assert api("put", "customers/ada/consents/pigeon/x", {"granted": True, "source": "f"}).status_code == 400
    assert api("put", path, {"granted": "perhaps", "source": "form"}).status_code == 400


def test_what_silences_the_customer_is_told_by_channel(api, ada):
    suppress(channel="email", address="Ada@example.com", reason="bounced")
    suppress(channel="email", address="somebody@example.com", reason="bounced")
    suppress(channel="webpush", address=f"#{ada.pk}", reason="manual")
    told = api("get", "customers/ada").json()["suppressions"]
    assert [(one["channel"], one["reason"]) for one in told] == [("email", "bounced"), ("webpush", "manual")]


def test_the_list_goes_by_cursor(api):
    Customer.objects.bulk_create(Customer(external_id=f"c{n}", created_at=NOW) for n in range(5))
    first = api("get", "customers?page_size=3").json()
    assert [row["external_id"] for row in first["results"]] == ["c0", "c1", "c2"]
    rest = api("get", first["next"].split("/api/v1/")[1]).json()
    assert [row["external_id"] for row in rest["results"]] == ["c3", "c4"]


def test_who_may_not_gets_a_problem(ada):
    reader = create_key(name="r", scopes=["customers:read"])[1]
    client = Client(headers={"Authorization": f"Bearer {reader}"})
    assert client.get("/api/v1/customers/ada").status_code == 200
    assert client.get("/api/v1/customers/nobody").status_code == 404
    assert client.patch("/api/v1/customers/ada", "{}", content_type="application/json").status_code == 403
    assert Client().get("/api/v1/customers").status_code == 401
