"""A merge that is undone leaves both profiles as they were, whatever they held."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from experiments import services as experiments
from experiments.services import VariantSpec
from personalization.customers import services
from personalization.customers.errors import MergeRefused, UnmergeRefused
from personalization.customers.models import Consent, Customer, Identifier, Merge, Suppression
from personalization.customers.traits import COLUMNS
from personalization.events.merging import merge_customers, unmerge
from personalization.events.models import Event
from personalization.events.services import NewEvent, record_events

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def merge(source: Customer, into: Customer) -> Merge:
    return merge_customers(source.pk, into_id=into.pk, reason="staff", actor="user:boss", note="same person")


def state(*people: Customer) -> dict[str, Any]:
    """Everything that is known of these people, but for when an event was received."""
    ids = [person.pk for person in people]
    columns = ("id", "external_id", *COLUMNS, "traits", "created_at", "merged_into_id")
    return {
        "profiles": list(Customer.objects.filter(pk__in=ids).order_by("pk").values(*columns)),
        "identifiers": sorted(Identifier.objects.values_list("customer", "kind", "value")),
        "consents": sorted(
            Consent.objects.values_list("customer", "channel", "topic", "granted", "source", "is_current")
        ),
        "suppressions": sorted(Suppression.objects.values_list("customer", "address_hash")),
        "events": sorted(
            Event.objects.values_list("customer", "message_key", "name", "value", "occurred_at"), key=str
        ),
    }


profiles = st.fixed_dictionaries(
    {
        "external_id": st.booleans(),
        "email": st.sampled_from(["", "ada@example.com", "a.l@example.com"]),
        "phone": st.sampled_from(["", "+442079460018"]),
        "first_name": st.sampled_from(["", "Ada", "Augusta"]),
        "city": st.sampled_from(["", "Leeds", "London"]),
        "traits": st.dictionaries(st.sampled_from(["plan", "pets", "vip"]), st.integers(0, 2)),
        "consents": st.lists(
            st.tuples(st.sampled_from(["news", "offers"]), st.booleans(), st.integers(0, 3)), max_size=3
        ),
        "cookies": st.integers(0, 2),
        "messages": st.sets(st.integers(0, 3)),
    }
)


def make(name: str, wanted: dict[str, Any]) -> Customer:
    columns = {column: wanted[column] for column in ("email", "phone", "first_name", "city", "traits")}
    created = NOW if name == "ada" else NOW - timedelta(days=1, microseconds=3)
    external_id = name if wanted["external_id"] else None
    customer = Customer.objects.create(external_id=external_id, created_at=created, **columns)
    for topic, granted, day in wanted["consents"]:
        services.record_consent(
            customer.pk, channel="email", topic=topic, granted=granted, source="form",
            at=NOW + timedelta(days=day),
        )  # fmt: skip
    for number in range(wanted["cookies"]):
        services.link(customer.pk, kind="anonymous_id", value=f"{name}-{number}")
    # Equal message ids on both sides: an import under two ids.
    record_events([NewEvent(customer.pk, f"m{n}", "Order Completed", NOW) for n in wanted["messages"]])
    return customer


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(profiles, profiles)
def test_merge_then_unmerge_leaves_the_former_state(db, one, other):
    with transaction.atomic():
        ada, visitor = make("ada", one), make("visitor", other)
        before = state(ada, visitor)
        taken_back = unmerge(merge(visitor, ada).pk, actor="user:boss")
        assert taken_back.pk in (ada.pk, visitor.pk)
        assert state(ada, visitor) == before
        transaction.set_rollback(True)


@pytest.fixture
def ada() -> Customer:
    return Customer.objects.create(
        external_id="ada", email="ada@example.com", created_at=NOW, traits={"plan": "gold"}
    )


@pytest.fixture
def bob() -> Customer:
    return Customer.objects.create(
        external_id="bob", email="bob@example.com", city="Leeds", created_at=NOW, traits={"plan": "x", "n": 1}
    )


def test_two_customers_become_one_who_is_found_by_both_ids(ada, bob):
    done = merge(bob, ada)
    ada.refresh_from_db()
    assert (ada.city, ada.traits) == ("Leeds", {"plan": "gold", "n": 1})
    assert services.resolve(user_ids=["bob"]).users == {"bob": ada.pk}
    assert set(Identifier.objects.values_list("kind", "value")) == {
        ("user_id", "bob"),
        ("email", "bob@example.com"),
    }
    assert (done.survivor_id, done.source_id, done.actor, done.note) == (
        ada.pk, bob.pk, "user:boss", "same person",
    )  # fmt: skip


def test_the_one_with_a_customer_id_stays_whatever_was_asked(ada):
    visitor = Customer.objects.create(created_at=NOW)
    assert merge(ada, visitor).survivor_id == ada.pk


def test_what_was_changed_after_the_merge_stays_with_the_survivor(ada, bob):
    done = merge(bob, ada)
    services.update_traits(ada.pk, {"city": "York", "plan": "silver"})
    record_events([NewEvent(ada.pk, "later", "Order Completed", NOW)])
    unmerge(done.pk, actor="user:boss")
    ada.refresh_from_db()
    bob.refresh_from_db()
    assert (ada.city, ada.traits) == ("York", {"plan": "silver"})
    assert (bob.external_id, bob.city, bob.traits) == ("bob", "Leeds", {"plan": "x", "n": 1})
    assert set(Event.objects.values_list("customer", flat=True)) == {ada.pk}


def test_the_more_restrictive_consent_wins_and_each_gets_the_own_one_back(ada, bob):
    for person, granted in ((ada, True), (bob, False)):
        services.record_consent(
            person.pk, channel="email", topic="news", granted=granted, source="form", at=NOW
        )
    done = merge(bob, ada)
    assert Consent.objects.get(customer=ada, is_current=True).granted is False
    unmerge(done.pk, actor="user:boss")
    current = Consent.objects.filter(is_current=True).values_list("customer", "granted")
    assert set(current) == {(ada.pk, True), (bob.pk, False)}


def test_a_withdrawal_since_the_merge_holds_for_both(ada, bob):
    for person in (ada, bob):
        services.record_consent(person.pk, channel="email", topic="news", granted=True, source="form", at=NOW)
    done = merge(bob, ada)
    services.record_consent(
        ada.pk, channel="email", topic="news", granted=False, source="link", at=timezone.now()
    )
    unmerge(done.pk, actor="user:boss")
    current = Consent.objects.filter(is_current=True).values_list("customer", "granted")
    assert set(current) == {(ada.pk, False), (bob.pk, False)}


def test_the_variant_follows_the_person_there_and_back(ada, bob):
    specs = [VariantSpec("a", "A", 1), VariantSpec("b", "B", 1)]
    experiment = experiments.create_experiment(key="spring", name="Spring", variants=specs)
    before = experiments.assign(experiment, [bob.pk], at=NOW)[bob.pk]
    done = merge(bob, ada)
    assert experiments.assign(experiment, [ada.pk], at=NOW)[ada.pk] == before
    unmerge(done.pk, actor="user:boss")
    assert experiments.assign(experiment, [bob.pk], at=NOW)[bob.pk] == before


def test_merges_within_merges_are_undone_from_the_outside_in(ada, bob):
    visitor = Customer.objects.create(created_at=NOW, city="York")
    record_events([NewEvent(visitor.pk, "v", "E", NOW), NewEvent(bob.pk, "b", "E", NOW)])
    inner = merge(visitor, bob)
    before = state(ada, bob)
    outer = merge(bob, ada)
    with pytest.raises(UnmergeRefused):
        unmerge(inner.pk, actor="user:boss")
    unmerge(outer.pk, actor="user:boss")
    assert state(ada, bob) == before
    unmerge(inner.pk, actor="user:boss")
    assert set(Event.objects.values_list("customer", flat=True)) == {visitor.pk, bob.pk}
    with pytest.raises(UnmergeRefused):
        unmerge(inner.pk, actor="user:boss")


def test_nobody_is_merged_with_oneself_or_with_nobody(ada):
    with pytest.raises(MergeRefused):
        merge(ada, ada)
    with pytest.raises(MergeRefused):
        merge_customers(0, into_id=ada.pk, reason="staff", actor="user:boss")
