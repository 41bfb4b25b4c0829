"""Consent, suppression, traits and identity on the real database."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from personalization.customers import selectors, services
from personalization.customers.errors import InvalidConsent, InvalidTraits, UnknownCustomer
from personalization.customers.models import Consent, Customer

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def ada() -> Customer:
    return Customer.objects.create(external_id="ada", email="Ada@example.com", created_at=NOW)


def test_the_latest_statement_is_the_current_one_and_the_older_stays_as_evidence(ada):
    services.record_consent(ada.pk, channel="email", topic="marketing", granted=True, source="form", at=NOW)
    later = NOW + timedelta(days=1)
    services.record_consent(
        ada.pk, channel="email", topic="marketing", granted=False, source="link", at=later
    )
    assert selectors.consented_ids([ada.pk], channel="email", topic="marketing") == set()
    assert [c.granted for c in selectors.consent_history(ada)] == [False, True]


def test_late_news_does_not_undo_what_the_customer_said_afterwards(ada):
    services.record_consent(ada.pk, channel="email", topic="marketing", granted=False, source="link", at=NOW)
    services.record_consent(
        ada.pk, channel="email", topic="marketing", granted=True, source="import", at=NOW - timedelta(days=1)
    )
    assert not selectors.consented(channel="email", topic="marketing").exists()
    assert Consent.objects.count() == 2


def test_silence_is_not_consent_and_topics_are_separate(ada):
    services.record_consent(ada.pk, channel="email", topic="news", granted=True, source="form")
    assert selectors.consented_ids([ada.pk], channel="email", topic="news") == {ada.pk}
    assert selectors.consented_ids([ada.pk], channel="email", topic="marketing") == set()


def test_consent_of_nobody_or_for_an_unknown_channel_is_refused(ada):
    with pytest.raises(UnknownCustomer):
        services.record_consent(0, channel="email", topic="marketing", granted=True, source="form")
    with pytest.raises(InvalidConsent):
        services.record_consent(ada.pk, channel="pigeon", topic="marketing", granted=True, source="form")


def test_the_database_itself_refuses_two_current_statements(ada):
    services.record_consent(ada.pk, channel="email", topic="marketing", granted=True, source="form")
    with pytest.raises(IntegrityError), transaction.atomic():
        Consent.objects.create(
            customer=ada, channel="email", topic="marketing", granted=False, source="x", recorded_at=NOW
        )


def test_suppression_goes_by_the_address_whatever_its_case(ada):
    twin = Customer.objects.create(external_id="twin", email="ada@EXAMPLE.com", created_at=NOW)
    entry = services.suppress(channel="email", address=" ADA@example.com", reason="bounced")
    again = services.suppress(channel="email", address="ada@example.com", reason="manual")
    assert (entry.pk, again.reason) == (again.pk, "bounced")
    assert selectors.suppressed_ids([ada.pk, twin.pk], channel="email") == {ada.pk, twin.pk}
    assert "ada@" not in str(vars(entry)).lower()
    Customer.objects.filter(pk=ada.pk).update(email="new@example.com")
    assert selectors.suppressed_ids([ada.pk, twin.pk], channel="email") == {twin.pk}


def test_a_customer_without_an_address_is_not_suppressed(ada):
    services.suppress(channel="email", address="", reason="manual")
    Customer.objects.filter(pk=ada.pk).update(email="")
    assert selectors.suppressed_ids([ada.pk], channel="email") == set()


def test_traits_merge_and_null_removes_one(ada):
    services.update_traits(ada.pk, {"firstName": "Ada", "plan": "gold", "pets": 2, "locale": "en_GB"})
    services.update_traits(ada.pk, {"plan": None, "pets": 3, "address": {"country": "gb", "city": "London"}})
    profile = selectors.profiles([ada.pk])[ada.pk]
    assert profile["first_name"] == "Ada"
    assert (profile["language"], profile["country"], profile["city"]) == ("en-GB", "GB", "London")
    assert profile["traits"] == {"pets": 3, "address": {"country": "gb", "city": "London"}}
    assert profile["email"] == "Ada@example.com"


def test_a_trait_that_cannot_be_stored_is_refused(ada):
    with pytest.raises(InvalidTraits):
        services.update_traits(ada.pk, {"email": "not an address"})
    with pytest.raises(InvalidTraits):
        services.update_traits(ada.pk, {"n": 10**40})


def test_nul_characters_and_half_surrogates_do_not_reach_the_database(ada):
    services.update_traits(ada.pk, {"a\0b": "x\0y", "half": "\ud83d"})
    ada.refresh_from_db()
    assert ada.traits == {"ab": "xy", "half": "\ufffd"}


def test_unknown_ids_become_customers_once():
    first = services.resolve(user_ids=["u1", "u2"], anonymous_ids=["a1"], at=NOW)
    second = services.resolve(user_ids=["u2", "u1"], anonymous_ids=["a1", "a2"])
    assert first.users == second.users
    assert first.visitors["a1"] == second.visitors["a1"]
    assert Customer.objects.count() == 4
    assert Customer.objects.get(external_id="u1").created_at == NOW


def test_a_former_id_leads_to_the_customer_it_was_linked_to(ada):
    assert services.link(ada.pk, kind="user_id", value="old-ada")
    assert not services.link(ada.pk, kind="user_id", value="old-ada")
    assert services.resolve(user_ids=["old-ada"]).users == {"old-ada": ada.pk}
    assert selectors.find("old-ada") == ada
    assert selectors.find("nobody") is None
