"""Nothing is kept for longer than its rule says; what a rule would do can be seen before."""

from datetime import timedelta

import pyarrow as pa
import pytest
import time_machine
from django.utils import timezone

from personalization.access.models import AuditEntry
from personalization.access.services import audit
from personalization.customers.importing import CustomerImporter
from personalization.customers.models import Customer
from personalization.events.models import Event
from personalization.importing.blocks import read_batches
from personalization.importing.pipeline import load_rows
from personalization.privacy import retention
from personalization.privacy.models import OptIn, PrivacyRequest, RetentionRule
from personalization.privacy.views import KIND_NAMES

pytestmark = pytest.mark.django_db


def event(customer: Customer, *, days_ago: int, number: int) -> Event:
    at = timezone.now() - timedelta(days=days_ago)
    return Event.objects.create(
        customer=customer, message_key=f"{number:032x}", name="Seen", occurred_at=at, received_at=at
    )


@pytest.fixture
def two_events(ada):
    return event(ada, days_ago=400, number=1), event(ada, days_ago=10, number=2)


def test_the_dry_run_counts_what_the_night_removes(boss, two_events, monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 1)
    page = boss.post("/app/privacy/retention", {"days:events": "365", "active:events": "on"}, follow=True)
    assert "The rules were saved." in page.content.decode()
    [row] = [entry for entry in retention.outlook() if entry.kind == "events"]
    assert (row.days, row.is_active, row.count) == (365, True, 1)
    assert Event.objects.count() == 2
    assert retention.run_rules()["events"] == 1
    assert [event.message_key.int for event in Event.objects.all()] == [2]
    assert RetentionRule.objects.get().last_count == 1
    assert retention.run_rules()["events"] == 0


def test_a_rule_that_is_not_active_does_nothing(two_events):
    retention.save_rule("events", days=1, is_active=False, actor="user:x")
    assert retention.run_rules() == {}
    assert Event.objects.count() == 2


def test_a_silent_profile_is_erased_and_a_busy_one_is_not(ada):
    old = timezone.now() - timedelta(days=500)
    busy = Customer.objects.create(external_id="busy", created_at=old)
    Customer.objects.update(updated_at=old)
    event(busy, days_ago=3, number=1)
    retention.save_rule("profile", days=365, is_active=True, actor="user:x")
    assert retention.run_rules() == {"profile": 1}
    assert list(Customer.objects.all()) == [busy]
    assert PrivacyRequest.objects.get().status == "done"


def test_old_entries_leave_the_log_by_retention_alone(db):
    audit("user:ada", "thing.changed", "thing:1")
    retention.save_rule("audit log", days=30, is_active=True, actor="user:x")
    with time_machine.travel(timezone.now() + timedelta(days=31)):
        assert retention.run_rules()["audit log"] == 2
    assert list(AuditEntry.objects.values_list("action", flat=True)) == ["retention.run"]


def test_an_opt_in_that_nobody_confirmed_goes_and_a_confirmed_one_is_proof_and_stays(ada):
    now = timezone.now()
    asked = {"customer": ada, "topic": "tea", "source": "footer", "requested_at": now, "expires_at": now}
    OptIn.objects.create(**asked)
    confirmed = OptIn.objects.create(**asked, confirmed_at=now)
    retention.save_rule("unconfirmed opt-ins", days=7, is_active=True, actor="user:x")
    assert retention.run_rules() == {"unconfirmed opt-ins": 0}
    with time_machine.travel(now + timedelta(days=8)):
        assert retention.run_rules() == {"unconfirmed opt-ins": 1}
    assert list(OptIn.objects.all()) == [confirmed]


def test_every_kind_of_data_has_a_name_for_people():
    assert set(retention.kinds()) == set(KIND_NAMES)


@pytest.mark.parametrize("days", ["0", "-1", "soon", "99999999"])
def test_what_is_no_number_of_days_is_said_and_nothing_is_saved(boss, days):
    page = boss.post("/app/privacy/retention", {"days:events": days, "days:messages": "30"})
    assert "whole numbers" in page.content.decode()
    assert RetentionRule.objects.count() == 0


def test_a_file_that_says_nothing_new_is_no_sign_of_life(db):
    """Neither loaded once more, nor by rows that differ in what they leave open."""
    old = timezone.now() - timedelta(days=500)
    for rows in ({"id": ["ada"], "city": ["York"], "plan": ["gold"]}, {"id": ["ada"], "city": [""]}):
        load_rows(CustomerImporter(), read_batches([pa.record_batch(rows)]))
        Customer.objects.update(updated_at=old, created_at=old)
    for _ in range(2):
        load_rows(CustomerImporter(), read_batches([pa.record_batch(rows)]))
    assert Customer.objects.get().updated_at == old
    retention.save_rule("profile", days=365, is_active=True, actor="user:x")
    assert retention.run_rules() == {"profile": 1}
