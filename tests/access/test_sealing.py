"""The audit log cannot be changed, and where somebody got around that, it shows."""

from datetime import timedelta

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import InternalError, ProgrammingError, connection, transaction
from django.utils import timezone

from personalization.access.models import AuditEntry, AuditSeal
from personalization.access.sealing import broken_seals, seal_logs
from personalization.access.services import audit

pytestmark = pytest.mark.django_db


@pytest.fixture
def sealed():
    """Two sealed stretches of three entries each."""
    for day in (3, 2):
        with time_machine.travel(timezone.now() - timedelta(days=day)):
            for number in range(3):
                audit("user:ada", "thing.changed", f"thing:{number}")
        seal_logs()
    return list(AuditSeal.objects.filter(log="audit").order_by("last_id"))


def around_the_trigger(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE access_auditentry DISABLE TRIGGER ALL")
        cursor.execute(statement)
        cursor.execute("ALTER TABLE access_auditentry ENABLE TRIGGER ALL")


@pytest.mark.parametrize(
    "verb", ["UPDATE access_auditentry SET actor = 'x'", "DELETE FROM access_auditentry"]
)
def test_an_entry_is_never_changed_nor_removed(verb):
    audit("user:ada", "thing.changed", "thing:1")
    with (
        pytest.raises((InternalError, ProgrammingError), match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(verb)
    assert AuditEntry.objects.get().actor == "user:ada"


def test_an_untouched_log_is_whole(sealed):
    assert [seal.entries for seal in sealed] == [3, 3]
    assert seal_logs() == 0
    assert broken_seals() == []
    call_command("verify_audit_log")


@pytest.mark.parametrize(
    "tampering",
    ["UPDATE access_auditentry SET actor = 'x' WHERE id = {}", "DELETE FROM access_auditentry WHERE id = {}"],
)
def test_a_changed_or_missing_entry_is_found(sealed, tampering):
    around_the_trigger(tampering.format(sealed[1].last_id))
    assert broken_seals() == [sealed[1]]
    with pytest.raises(CommandError, match=f"{sealed[1].first_id} to {sealed[1].last_id}"):
        call_command("verify_audit_log")


def test_an_entry_slipped_in_later_is_found(sealed):
    around_the_trigger(f"DELETE FROM access_auditentry WHERE id = {sealed[0].last_id}")
    AuditEntry.objects.create(
        pk=sealed[0].last_id, actor="user:ada", action="thing.changed", target="thing:9"
    )
    assert sealed[0] in broken_seals()


def test_a_seal_made_anew_does_not_fit_the_next_one(sealed):
    around_the_trigger(f"UPDATE access_auditentry SET actor = 'x' WHERE id = {sealed[0].first_id}")
    AuditSeal.objects.filter(pk=sealed[0].pk).delete()
    assert [seal.pk for seal in broken_seals()] == []  # as after retention: the first seals may be gone …
    AuditSeal.objects.create(
        log="audit", first_id=sealed[0].first_id, last_id=sealed[0].last_id, entries=3, sha256="0" * 64
    )
    assert len(broken_seals()) == 2  # … but none can take their place


def test_fresh_entries_wait():
    audit("user:ada", "thing.changed", "thing:1")
    assert seal_logs() == 0
