"""Whom a message of the Segment endpoints is about: identify, alias, and visitors who become customers."""

import pytest

from personalization.customers.models import Consent, Customer, Identifier
from personalization.events.models import Event

pytestmark = pytest.mark.django_db


def test_identify_fills_the_profile_and_implies_no_consent(post):
    post("identify", {"userId": "ada", "traits": {
        "email": "ada@example.com", "firstName": "Ada", "locale": "en-GB", "address": {"country": "GB"},
        "plan": "x", "consent": True,
    }})  # fmt: skip
    ada = Customer.objects.get(external_id="ada")
    assert (ada.email, ada.first_name, ada.language, ada.country) == ("ada@example.com", "Ada", "en-GB", "GB")
    assert ada.traits["plan"] == "x"
    assert not Consent.objects.exists()


def test_the_visitor_becomes_the_customer_on_identify(post):
    post("track", {"anonymousId": "cookie", "event": "Product Viewed", "messageId": "v1"})
    visitor = Customer.objects.get()
    post("identify", {"userId": "ada", "anonymousId": "cookie"})
    post("track", {"anonymousId": "cookie", "event": "Product Viewed", "messageId": "v2"})
    assert Customer.objects.get().pk == visitor.pk
    assert Customer.objects.get().external_id == "ada"
    assert Event.objects.filter(customer=visitor).count() == 2


def test_the_history_of_a_second_device_joins_the_known_customer(post):
    post("track", {"userId": "ada", "event": "E", "messageId": "e1"})
    post("identify", {"anonymousId": "phone", "traits": {"city": "Leeds", "plan": "gold"}})
    post("page", {"anonymousId": "phone", "name": "Home", "messageId": "e2"})
    post("identify", {"userId": "ada", "anonymousId": "phone", "traits": {"plan": "silver"}})
    ada = Customer.objects.get()
    assert (ada.city, ada.traits) == ("Leeds", {"plan": "silver"})
    assert set(Event.objects.filter(customer=ada).values_list("name", flat=True)) == {"E", "Page Viewed"}


def test_a_shared_device_does_not_merge_two_people(post):
    for user in ("ada", "bob"):
        assert post("identify", {"userId": user, "anonymousId": "family-tablet"}).status_code == 200
    assert Customer.objects.exclude(external_id=None).count() == 2
    assert Identifier.objects.get().customer.external_id is None


def test_alias_joins_a_visitor_but_never_two_customers(post):
    post("track", {"anonymousId": "cookie", "event": "E", "messageId": "e1"})
    assert post("alias", {"userId": "ada", "previousId": "cookie"}).status_code == 200
    assert Event.objects.get().customer.external_id == "ada"
    post("track", {"userId": "bob", "event": "E"})
    answer = post("alias", {"userId": "ada", "previousId": "bob"})
    assert answer.status_code == 400
    assert Customer.objects.filter(external_id="bob").exists()


def test_a_former_id_leads_to_the_customer_after_alias(post):
    post("alias", {"userId": "ada", "previousId": "old"})
    post("track", {"userId": "old", "event": "E"})
    assert Event.objects.get().customer.external_id == "ada"
