from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from personalization.access.models import AuditEntry, User
from personalization.customers import selectors, services
from personalization.customers.models import Customer
from personalization.events.services import NewEvent, record_events

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def ada() -> Customer:
    return Customer.objects.create(
        external_id="ada",
        email="ada@example.com",
        first_name="Ada",
        traits={"plan": "<b>gold"},
        created_at=NOW,
    )


@pytest.fixture
def viewer() -> Client:
    user = User.objects.create_user("viewer", password="x", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_customer"))
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.parametrize("query", ["Ada", "ada@example", "ada"])
def test_customers_are_found_by_name_address_and_id(boss, ada, query):
    Customer.objects.create(external_id="bob", created_at=NOW)
    page = boss.post("/admin/customers/customer/", {"words": query}, follow=True).content.decode()
    assert f"/app/customers/{ada.pk}" in page
    assert "bob" not in page


def test_the_profile_shows_traits_and_events_escaped(boss, ada):
    record_events([NewEvent(ada.pk, "m", "Order <i>Completed", NOW)])
    page = boss.get(f"/app/customers/{ada.pk}").content.decode()
    assert "&lt;b&gt;gold" in page
    assert "Order &lt;i&gt;Completed" in page


def test_staff_record_consent_and_suppression_with_their_name(boss, ada):
    boss.post(f"/app/customers/{ada.pk}/consent", {"channel": "email", "topic": "marketing", "granted": "1"})
    assert selectors.consented_ids([ada.pk], channel="email", topic="marketing") == {ada.pk}
    boss.post(f"/app/customers/{ada.pk}/suppression", {"suppressed": "1", "channel": "email"})
    assert selectors.suppressed_ids([ada.pk], channel="email") == {ada.pk}
    boss.post(f"/app/customers/{ada.pk}/suppression", {"suppressed": "0", "channel": "email"})
    assert selectors.suppressed_ids([ada.pk], channel="email") == set()
    actions = AuditEntry.objects.order_by("id").values_list("actor", "action")
    assert list(actions) == [
        ("user:boss", "consent.recorded"),
        ("user:boss", "suppression.added"),
        ("user:boss", "suppression.removed"),
    ]


def test_a_stop_by_phone_is_seen_on_the_profile_and_can_be_lifted(boss, ada):
    Customer.objects.filter(pk=ada.pk).update(phone="+442079460018")
    services.suppress(channel="sms", address="+442079460018", reason="unsubscribed", customer_id=ada.pk)
    page = boss.get(f"/app/customers/{ada.pk}").content.decode()
    assert "Text message (SMS): this address is never written to: Unsubscribed" in page
    boss.post(f"/app/customers/{ada.pk}/suppression", {"suppressed": "0", "channel": "sms"})
    assert selectors.suppressed_ids([ada.pk], channel="sms") == set()
    assert (
        boss.post(f"/app/customers/{ada.pk}/suppression", {"suppressed": "1", "channel": "x"}).status_code
        == 404
    )


def test_who_may_only_look_changes_nothing(viewer, ada):
    page = viewer.get(f"/app/customers/{ada.pk}")
    assert page.status_code == 200
    assert "suppressed" not in page.content.decode()
    assert viewer.post(f"/app/customers/{ada.pk}/consent", {"topic": "x"}).status_code == 403
    assert viewer.post(f"/app/customers/{ada.pk}/suppression", {"suppressed": "1"}).status_code == 403
    assert Client().get(f"/app/customers/{ada.pk}").status_code == 302


def test_the_form_refuses_what_could_not_be_stored(boss, ada):
    address = f"/admin/customers/customer/{ada.pk}/change/"
    fields = {"external_id": "ada", "email": "nonsense", "traits": "[]"}
    page = boss.post(address, fields)
    assert page.status_code == 200
    assert "not an e-mail address" in page.content.decode()
    answer = boss.post(address, {**fields, "email": "new@example.com", "traits": '{"a": 1}', "country": "gb"})
    assert answer.status_code == 302
    ada.refresh_from_db()
    assert (ada.email, ada.country, ada.traits) == ("new@example.com", "GB", {"a": 1})
