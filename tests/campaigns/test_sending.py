"""One campaign, from launch to the server's count, on PostgreSQL and a real SMTP server."""

import email
import email.policy
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError
from django.db.models import ProtectedError
from django.utils import timezone

from campaigns import selectors, services
from campaigns.models import Chunk, ChunkStatus, Delivery, DeliveryStatus, RunStatus
from campaigns.sending import chunk, settling
from campaigns.sending import gate as gate_module
from campaigns.sending.composing import Composer
from experiments.models import Variant
from personalization.customers.services import record_consent, suppress
from personalization.events.models import Event

pytestmark = pytest.mark.django_db(transaction=True)


def counts(run: Any) -> dict[str, Any]:
    found = selectors.progress(run)
    assert found["audience"] == sum(found[status] for status in DeliveryStatus.values) == run.audience_size
    return found


def test_everyone_gets_one_message_of_their_own(sink, make_customers, make_campaign, send_all) -> None:
    make_customers(7)
    run = services.launch(make_campaign(), actor="test")
    send_all(run)
    assert counts(run)["sent"] == 7 and run.status == RunStatus.FINISHED
    assert sink.recipients == {f"c{i}@example.com": 1 for i in range(7)}
    for recipient, data in sink.accepted:
        message = email.message_from_bytes(data, policy=email.policy.default)
        name = f"Name{recipient[1]}"
        assert message["Subject"] == f"Hi {name}"
        assert name in message.get_body(("html",)).get_content()
        assert name in message.get_body(("plain",)).get_content()
        assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert "/t/c/" in message.get_body(("html",)).get_content()
    assert Event.objects.filter(name="Message Sent").count() == 7
    assert sink.connections == 1


def test_everyone_in_the_segment_has_a_row_with_a_reason(
    sink, make_customers, make_campaign, send_all
) -> None:
    make_customers(3)
    make_customers(1, start=10, consent=False)
    make_customers(1, start=11, email="")
    make_customers(1, start=12, email="no address")
    make_customers(1, start=13, email="C0@Example.com")
    make_customers(1, start=14)
    suppress(channel="email", address="c14@example.com", reason="bounced")
    make_customers(5, start=20, country="FR")
    run = services.launch(make_campaign(), actor="test")
    found = counts(run)
    assert found["audience"] == 8 and found["pending"] == 3
    assert found["reasons"] == {
        "no_consent": 1, "no_address": 1, "invalid_address": 1, "duplicate_address": 1, "suppressed": 1,
    }  # fmt: skip
    send_all(run)
    assert len(sink.accepted) == 3


def test_a_run_goes_with_its_deliveries_and_a_customer_without_them(make_customers, make_campaign) -> None:
    gone, _stays = make_customers(2)
    run = services.launch(make_campaign(), actor="test")
    with pytest.raises(ProtectedError):
        Variant.objects.all().delete()
    gone.delete()
    assert set(run.deliveries.values_list("customer__external_id", flat=True)) == {None, "c1"}
    run.delete()
    assert not Delivery.everything.exists() and not Chunk.objects.exists()


def test_no_message_is_written_for_a_customer_who_does_not_exist(make_customers, make_campaign) -> None:
    make_customers(1)
    run = services.launch(make_campaign(), actor="test")
    with pytest.raises(IntegrityError):
        Delivery.objects.create(run=run, customer_id=10**9)


def test_the_control_group_gets_nothing(sink, make_customers, make_campaign, send_all) -> None:
    make_customers(200)
    run = services.launch(make_campaign(control_share=0.5), actor="test")
    send_all(run)
    found = counts(run)
    assert found["reasons"] == {"control": found["variants"]["control"]["skipped"]}
    assert 60 < found["reasons"]["control"] < 140
    silent = Delivery.objects.filter(run=run, reason="control").values_list("customer__email", flat=True)
    assert not set(silent) & set(sink.recipients)


def test_launching_twice_makes_one_run(make_customers, make_campaign) -> None:
    make_customers(2)
    campaign = make_campaign()
    services.launch(campaign, actor="test")
    with pytest.raises(services.InvalidState):
        services.launch(campaign, actor="test")
    assert campaign.runs.count() == 1


def test_consent_withdrawn_after_the_launch_is_honored(sink, make_customers, make_campaign, send_all) -> None:
    people = make_customers(3)
    run = services.launch(make_campaign(), actor="test")
    record_consent(people[1].pk, channel="email", topic="marketing", granted=False, source="test")
    suppress(channel="email", address=people[2].email, reason="complained")
    send_all(run)
    assert counts(run)["reasons"] == {"no_consent": 1, "suppressed": 1}
    assert sink.recipients == {"c0@example.com": 1}


def test_consent_withdrawn_while_the_chunk_is_sent_is_honored(
    sink, make_customers, make_campaign, send_all, monkeypatch
) -> None:
    people = make_customers(5)
    monkeypatch.setattr(gate_module, "FRESH_SECONDS", 0.0)
    run = services.launch(make_campaign(), actor="test")
    told: list[str] = []

    def withdraw(recipient: str) -> None:
        if not told:
            told.append(recipient)
            import threading

            def write() -> None:
                from django.db import connection

                record_consent(people[4].pk, channel="email", topic="marketing", granted=False, source="test")
                connection.close()

            thread = threading.Thread(target=write)
            thread.start()
            thread.join()

    sink.on_data = withdraw
    send_all(run)
    assert counts(run)["reasons"] == {"no_consent": 1} and len(sink.accepted) == 4


def test_a_slow_server_makes_nobody_lose_permission(
    sink, make_customers, make_campaign, send_all, monkeypatch
) -> None:
    make_customers(30)
    monkeypatch.setattr(gate_module, "FRESH_SECONDS", 0.02)
    delays = iter([0.03, 0.0, 0.01] * 10)
    sink.on_data = lambda recipient: time.sleep(next(delays))
    run = services.launch(make_campaign(), actor="test")
    send_all(run)
    assert counts(run)["sent"] == 30


def test_a_temporary_refusal_is_tried_again_and_a_permanent_one_is_not(
    sink, make_customers, make_campaign, send_all
) -> None:
    make_customers(4)
    seen: list[str] = []

    def fault(recipient: str, number: int) -> str:
        if number < 0:
            return ""
        seen.append(recipient)
        if recipient == "c1@example.com" and seen.count(recipient) == 1:
            return "4xx"
        return "5xx" if recipient == "c2@example.com" else ""

    sink.fault = fault
    run = services.launch(make_campaign(), actor="test")
    send_all(run)
    assert counts(run)["sent"] == 3 and counts(run)["failed"] == 1
    failed = Delivery.objects.get(run=run, status="failed")
    assert failed.detail == "554 not <…>" and seen.count("c2@example.com") == 1
    assert max(sink.message_ids.values()) == 1


def test_a_message_refused_five_times_is_given_up(sink, make_customers, make_campaign, send_all) -> None:
    make_customers(1)
    sink.fault = lambda recipient, number: "4xx"
    run = services.launch(make_campaign(), actor="test")
    send_all(run, rounds=20)
    assert counts(run)["failed"] == 1 and Delivery.objects.get(run=run).attempts == settling.MAX_TRIES


@pytest.mark.parametrize("fault", ["drop", "hang", "gone"])
def test_a_line_cut_after_the_dot_is_unknown_and_never_sent_again(
    fault, sink, make_customers, make_campaign, send_all
) -> None:
    make_customers(5)
    sink.fault = lambda recipient, number: fault if recipient == "c2@example.com" and number >= 0 else ""
    run = services.launch(make_campaign(), actor="test")
    send_all(run)
    assert counts(run)["unknown"] == 1 and counts(run)["sent"] == 4
    assert max(sink.recipients.values()) == 1


def test_a_refused_recipient_leaves_the_connection_usable(
    sink, make_customers, make_campaign, send_all
) -> None:
    make_customers(4)
    sink.fault = lambda recipient, number: "norcpt" if recipient == "c1@example.com" else ""
    run = services.launch(make_campaign(), actor="test")
    send_all(run)
    assert counts(run)["sent"] == 3 and counts(run)["failed"] == 1 and sink.connections == 1


def test_a_server_without_extensions_gets_one_command_at_a_time(
    sink, make_customers, make_campaign, send_all
) -> None:
    sink.extensions = ("HELP",)
    make_customers(2, first_name="李雷")
    run = services.launch(make_campaign(), actor="test")
    send_all(run)
    assert counts(run)["sent"] == 2
    assert all(data.isascii() for _, data in sink.accepted)
    message = email.message_from_bytes(sink.accepted[0][1], policy=email.policy.default)
    assert "李雷" in message.get_body(("html",)).get_content() and message["Subject"] == "Hi 李雷"


def test_a_server_that_cannot_be_reached_makes_the_chunk_wait(
    sink, make_customers, make_campaign, settings
) -> None:
    make_customers(2)
    settings.EMAIL_URL = "smtp://127.0.0.1:1?timeout=1"
    settings.SEND_RETRY_SECONDS = 60
    run = services.launch(make_campaign(), actor="test")
    chunk.send_chunk(run.chunks.get().pk)
    row = run.chunks.get()
    assert row.status == ChunkStatus.FREE and row.due_at > timezone.now() + timedelta(seconds=30)
    assert counts(run)["pending"] == 2


def test_messages_are_not_made_ahead_of_the_server(
    sink, make_customers, make_campaign, send_all, monkeypatch
) -> None:
    """A server that hangs must find no pile of messages in our memory."""
    make_customers(200)
    run = services.launch(make_campaign(), actor="test")
    made, ahead = 0, []
    compose = Composer.compose

    def counted(self: Composer, *args: Any) -> Any:
        nonlocal made
        made += 1
        ahead.append(made - len(sink.accepted))
        return compose(self, *args)

    monkeypatch.setattr(Composer, "compose", counted)
    send_all(run)
    assert made == 200 and max(ahead) <= 32


def test_one_customer_whose_message_cannot_be_made_does_not_stop_the_others(
    sink, make_customers, make_campaign, send_all
) -> None:
    make_customers(3)
    make_customers(1, start=3, traits={"points": "x"})
    body = (
        "{% if customer.traits.points %}{% for i in (1..9999999) %}{% for j in (1..9999999) %}x{% endfor %}"
        "{% endfor %}{% endif %}<a href='{{ unsubscribe_url }}'>Unsubscribe</a>"
    )
    run = services.launch(make_campaign(bodies=(body,)), actor="test")
    send_all(run)
    assert counts(run)["reasons"] == {"no_content": 1} and counts(run)["sent"] == 3
