"""What reports do to deliveries and addresses; and what forged ones do not."""

import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from campaigns import services
from campaigns.feedback.handling import take_report
from campaigns.feedback.reports import read_report
from campaigns.models import Bounce, Delivery
from campaigns.senders import accounts
from campaigns.tracking import links
from personalization.customers.models import Customer, Suppression
from personalization.customers.services import unsuppress
from personalization.events.models import Event
from tests.campaigns.feedback.test_reports import ARF, NUMBER, dsn

pytestmark = pytest.mark.django_db


@pytest.fixture
def delivery(make_customers: Any, make_campaign: Any) -> Delivery:
    make_customers(1, email="ann@example.com")
    return sent(services.launch(make_campaign(), actor="test"))


def sent(run: Any, *, days_ago: float = 1) -> Delivery:
    Delivery.objects.filter(run=run).update(status="sent", sent_at=timezone.now() - timedelta(days=days_ago))
    return Delivery.objects.get(run=run)


def number_of(delivery: Delivery) -> str:
    return links.message_id(delivery.pk, delivery.run_id, delivery.customer_id, "email")


def take(delivery: Delivery, raw: bytes, **changes: Any) -> Any:
    raw = raw.replace(NUMBER.encode(), number_of(delivery).encode())
    return take_report(read_report(raw), key=changes.get("key", "k1"), at=changes.get("at"))


HARD = dsn(status="5.1.1", diagnostic="550 5.1.1 User unknown")
SOFT = dsn(status="5.2.2", diagnostic="552 5.2.2 mailbox full")
BLOCKED = dsn(status="5.7.1", diagnostic="550 5.7.1 blocked using Spamhaus")


def test_a_hard_bounce_suppresses_at_once_and_counts_once(delivery: Delivery) -> None:
    assert take(delivery, HARD).deliveries == take(delivery, HARD).deliveries == 1
    assert Suppression.objects.get().reason == "bounced" and Bounce.objects.get().suppressed
    event = Event.objects.get(name="Message Bounced")
    assert event.properties["kind"] == "hard" and "ann@" not in str(event.properties)
    assert "ann@" not in Bounce.objects.get().detail


def test_a_report_that_nobody_of_us_asked_for_does_nothing(delivery: Delivery) -> None:
    forged = f"{delivery.pk:012x}" + "a" * 20
    take_report(read_report(HARD.replace(NUMBER.encode(), forged.encode())), key="k", at=None)
    assert not Suppression.objects.exists() and not Bounce.objects.exists()


def test_nobody_can_have_another_address_suppressed(delivery: Delivery) -> None:
    take(delivery, dsn(status="5.1.1", diagnostic="550 User unknown", final="victim@example.com"))
    assert Bounce.objects.count() == 1 and not Suppression.objects.exists()


def test_an_address_changed_since_is_not_suppressed(delivery: Delivery) -> None:
    Customer.objects.update(email="new@example.com")
    take(delivery, HARD)
    assert not Suppression.objects.exists()


def test_soft_bounces_suppress_by_number_and_time(make_customers: Any, make_campaign: Any) -> None:
    make_customers(1, email="ann@example.com")
    for count, days_ago in enumerate((12, 10, 8, 6, 4)):
        assert not Suppression.objects.exists()
        take(sent(services.launch(make_campaign(), actor="test"), days_ago=days_ago), SOFT, key=f"k{count}")
    assert Suppression.objects.get().reason == "bounced"


def test_a_message_between_that_arrived_begins_the_count_anew(
    make_customers: Any, make_campaign: Any
) -> None:
    make_customers(1, email="ann@example.com")
    for count, days_ago in enumerate((20, 18, 16, 14, 12, 10)):
        one = sent(services.launch(make_campaign(), actor="test"), days_ago=days_ago)
        if count != 3:
            take(one, SOFT, key=f"k{count}")
    assert not Suppression.objects.exists()


def test_blocked_messages_never_suppress(make_customers: Any, make_campaign: Any) -> None:
    make_customers(1, email="ann@example.com")
    for count in range(7):
        one = sent(services.launch(make_campaign(), actor="test"), days_ago=30 - count * 3)
        take(one, BLOCKED, key=f"k{count}")
    assert Bounce.objects.filter(kind="block").count() == 7 and not Suppression.objects.exists()


def test_a_complaint_suppresses(delivery: Delivery) -> None:
    assert take(delivery, ARF.replace("KIND", "abuse").encode()).kind == "complaint"
    assert (
        Suppression.objects.get().reason == "complained"
        and Event.objects.filter(name="Message Complained").exists()
    )


def test_a_complaint_played_back_does_not_silence_whom_staff_let_in_again(delivery: Delivery) -> None:
    raw = ARF.replace("KIND", "abuse").encode()
    take(delivery, raw)
    unsuppress(channel="email", address="ann@example.com")
    take(delivery, raw, key="again")
    assert not Suppression.objects.exists()
    assert Event.objects.filter(name="Message Complained").count() == 1


@pytest.mark.parametrize("raw", [HARD, ARF.replace("KIND", "abuse").encode()])
def test_what_comes_back_was_sent(delivery: Delivery, raw: bytes) -> None:
    Delivery.objects.update(status="unknown", sent_at=None)
    delivery.refresh_from_db()
    take(delivery, raw)
    delivery.refresh_from_db()
    assert delivery.status == "sent" and Event.objects.filter(name="Message Sent").count() == 1


def test_a_refusal_in_the_dialogue_is_evidence_too(sink, make_customers, make_campaign, send_all) -> None:
    make_customers(2)
    run = services.launch(make_campaign(), actor="test")
    sink.fault = lambda recipient, number: "norcpt" if recipient == "c1@example.com" else ""
    send_all(run)
    assert Bounce.objects.get().kind == "hard" and Suppression.objects.count() == 1


# --- Providers, through anymail -------------------------------------------------------------------------
@pytest.fixture
def hook(db: None) -> str:
    values = {
        "backend": "anymail.backends.postmark.EmailBackend", "settings": '{"server_token": "x"}',
        "webhook_settings": '{"webhook_secret": "hook:canary"}',
    }  # fmt: skip
    row = accounts.save_account(None, channel="email", name="Postmark", values=values, actor="test")
    return f"/hooks/email/{row.pk}"


SIGNED = {"HTTP_AUTHORIZATION": "Basic aG9vazpjYW5hcnk="}


def call(hook: str, delivery: Delivery, record: str, /, **fields: Any) -> int:
    body = {
        "RecordType": record, "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483", "ServerID": 1,
        "Metadata": {"message_id": number_of(delivery)}, **fields,
    }  # fmt: skip
    return Client().post(hook, json.dumps(body), content_type="application/json", **SIGNED).status_code


def test_a_call_without_the_signature_is_refused(hook: str, delivery: Delivery) -> None:
    answer = Client().post(hook, "{}", content_type="application/json", HTTP_AUTHORIZATION="Basic eDp5")
    assert (
        answer.status_code == 403
        and Client().post(hook, "{}", content_type="application/json").status_code == 401
    )


def test_a_delivery_reported_by_the_provider_ends_the_unknown(hook: str, delivery: Delivery) -> None:
    Delivery.objects.update(status="unknown", sent_at=None)
    at = "2026-11-05T16:33:54.9070259Z"
    assert (
        call(hook, delivery, "Delivery", Recipient="ann@example.com", DeliveredAt=at, Details="250 ok") == 200
    )
    delivery.refresh_from_db()
    assert delivery.status == "sent"


def test_a_bounce_and_a_complaint_reported_by_the_provider_suppress(hook: str, delivery: Delivery) -> None:
    bounce = {"Type": "HardBounce", "TypeCode": 1, "Email": "ann@example.com",
              "BouncedAt": "2026-11-05T16:33:54Z",
              "Details": "smtp;550 5.1.1 The email account that you tried to reach does not exist", "ID": 7,
              "Description": "The server was unable to deliver your message"}  # fmt: skip
    assert call(hook, delivery, "Bounce", **bounce) == 200
    assert Suppression.objects.get().reason == "bounced"
    Suppression.objects.all().delete()
    complaint = {**bounce, "Type": "SpamComplaint", "TypeCode": 512}
    assert call(hook, delivery, "SpamComplaint", **complaint) == 200
    assert Suppression.objects.get().reason == "complained"


def test_a_scanner_seen_by_the_provider_is_marked(hook: str, delivery: Delivery) -> None:
    fields = {"Recipient": "ann@example.com", "ReceivedAt": "2026-11-25T16:33:54Z", "OriginalLink": "https://a.example",
              "UserAgent": "Barracuda Sentinel (EE)"}  # fmt: skip
    assert call(hook, delivery, "Click", **fields) == 200
    assert Event.objects.get(name="Message Clicked").properties["machine_by"] == "agent"


def test_a_report_comes_in_by_a_pipe(delivery: Delivery, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = HARD.replace(NUMBER.encode(), number_of(delivery).encode())
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(raw)))
    call_command("read_bounces", stdout=io.StringIO())
    assert Suppression.objects.count() == 1
