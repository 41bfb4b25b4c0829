"""Pause, resume, cancel and retry: exact, whatever workers do meanwhile."""

import pytest
from django.db import connection

from campaigns import services
from campaigns.models import ChunkStatus, Delivery, RunStatus
from campaigns.senders import accounts
from campaigns.sending import chunk
from campaigns.sending import gate as gate_module
from tests.campaigns.test_sending import counts

pytestmark = pytest.mark.django_db(transaction=True)


def test_pause_and_resume_and_cancel_are_exact(sink, make_customers, make_campaign, send_all) -> None:
    make_customers(1200)
    run = services.launch(make_campaign(), actor="test")
    first = run.chunks.order_by("number").first()
    chunk.send_chunk(first.pk)
    services.pause(run, actor="test")
    send_all(run)
    assert len(sink.accepted) == 500 and counts(run)["pending"] == 700
    services.resume(run, actor="test")
    chunk.send_chunk(run.chunks.get(number=1).pk)
    assert services.cancel(run, actor="test") == 200
    send_all(run)
    assert counts(run)["reasons"] == {"canceled": 200} and len(sink.accepted) == 1000
    with pytest.raises(services.InvalidState):
        services.resume(run, actor="test")


def test_a_cancel_in_the_middle_of_a_chunk_stops_its_worker(
    sink, make_customers, make_campaign, send_all, monkeypatch
) -> None:
    make_customers(100)
    monkeypatch.setattr(gate_module, "FRESH_SECONDS", 0.0)
    run = services.launch(make_campaign(), actor="test")

    def cancel_at_ten(recipient: str) -> None:
        if len(sink.accepted) == 10:
            import threading

            def write() -> None:
                from django.db import connection

                services.cancel(run, actor="test")
                connection.close()

            thread = threading.Thread(target=write)
            thread.start()
            thread.join()

    sink.on_data = cancel_at_ten
    send_all(run)
    assert counts(run)["sent"] == len(sink.accepted) == 11
    assert counts(run)["reasons"] == {"canceled": 89}
    assert not run.chunks.exclude(status=ChunkStatus.DONE).exists()


def test_a_pause_in_the_middle_of_a_chunk_stops_it_and_everybody_gets_one_message(
    sink, make_customers, make_campaign, send_all, monkeypatch
) -> None:
    make_customers(200)
    monkeypatch.setattr(gate_module, "FRESH_SECONDS", 0.0)
    run = services.launch(make_campaign(), actor="test")

    def pause_at_the_tenth(recipient: str) -> None:
        if len(sink.accepted) == 9:
            services.pause(run, actor="test")
            connection.close()

    sink.on_data = pause_at_the_tenth
    chunk.send_chunk(run.chunks.get().pk)
    assert 9 <= len(sink.accepted) <= 12 and counts(run)["pending"] == 200 - len(sink.accepted)
    services.resume(run, actor="test")
    send_all(run)
    assert sink.recipients == {f"c{i}@example.com": 1 for i in range(200)}


def test_failed_ones_can_be_retried_and_only_those(sink, make_customers, make_campaign, send_all) -> None:
    make_customers(3)
    sink.fault = lambda recipient, number: "5xx" if recipient == "c1@example.com" else ""
    run = services.launch(make_campaign(), actor="test")
    send_all(run)
    sink.fault = lambda recipient, number: ""
    assert services.retry_failed(run, actor="test") == 1
    send_all(run)
    assert counts(run)["sent"] == 3 and run.status == RunStatus.FINISHED
    assert max(sink.recipients.values()) == 1


def test_a_retry_begins_a_round_of_five_tries_of_its_own(
    sink, make_customers, make_campaign, send_all
) -> None:
    make_customers(1)
    sink.fault = lambda recipient, number: "4xx"
    run = services.launch(make_campaign(), actor="test")
    send_all(run, rounds=20)
    services.retry_failed(run, actor="test")
    send_all(run, rounds=2)
    assert counts(run)["pending"] == 1 and counts(run)["waiting"] == {"busy": 1}
    sink.fault = lambda recipient, number: ""
    send_all(run)
    one = Delivery.objects.get()
    assert (one.status, one.reason, one.attempts) == ("sent", "", 8) and len(sink.accepted) == 1


def test_a_report_says_that_mail_goes_nowhere_only_while_that_is_true(
    make_customers, make_campaign, staff, settings
) -> None:
    make_customers(1)
    settings.INBOX_URL = "http://127.0.0.1:8026"
    run = services.launch(make_campaign(), actor="test")
    page = staff("view_campaign")
    path = f"/app/campaigns/{run.campaign_id}/report/"
    assert "Mail is caught on this machine" in page.get(path).content.decode()
    accounts.save_account(
        None, channel="email", name="Relay", values={"smtp_url": "smtp://127.0.0.1:25"}, actor="test"
    )
    assert "Mail is caught on this machine" not in page.get(path).content.decode()
