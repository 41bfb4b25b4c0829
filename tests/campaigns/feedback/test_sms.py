"""What an SMS service calls back: believed only when it is signed by the account's token."""

import base64
import hmac
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from campaigns import services
from campaigns.models import Bounce, Delivery, SenderAccount
from campaigns.senders import accounts
from campaigns.services import MessageDraft
from campaigns.tracking import links
from personalization.customers.models import Customer, Suppression
from personalization.events.models import Event

pytestmark = pytest.mark.django_db
TOKEN, PHONE = "a-token-of-the-account", "+442079460018"


@pytest.fixture
def account() -> SenderAccount:
    values = {"account_sid": "AC0123", "auth_token": TOKEN, "sender": "+442079460099"}
    return accounts.save_account(None, channel="sms", name="Texts", values=values, actor="test")


@pytest.fixture
def delivery(account: SenderAccount, make_customers: Any) -> Delivery:
    make_customers(1, phone=PHONE)
    campaign = services.save_campaign(
        None, name="Texts", segment=None, kind="triggered", channel="sms", control_share=0.0, actor="test",
        sender_address="", messages=[MessageDraft(key="a", subject="", body="Hi. Reply STOP to end")],
    )  # fmt: skip
    run = services.launch(campaign, actor="test")
    return Delivery.objects.create(
        run=run, customer=Customer.objects.get(), status="unknown", sent_at=timezone.now()
    )


def call(settings: Any, path: str, token: str = TOKEN, **form: str) -> int:
    """As the service signs: the address, then every field and value by name."""
    text = settings.SITE_URL + path + "".join(f"{name}{form[name]}" for name in sorted(form))
    signature = base64.b64encode(hmac.digest(token.encode(), text.encode(), "sha1")).decode()
    return Client(headers={"x-twilio-signature": signature}).post(path, form).status_code


def status_path(delivery: Delivery) -> str:
    return f"/hooks/sms/{links.message_id(delivery.pk, delivery.run_id, delivery.customer_id, 'sms')}"


def test_a_delivered_message_whose_fate_was_unknown_is_sent(settings: Any, delivery: Delivery) -> None:
    assert call(settings, status_path(delivery), MessageStatus="delivered") == 204
    delivery.refresh_from_db()
    assert delivery.status == "sent"


@pytest.mark.parametrize(("code", "kind"), [("30005", "hard"), ("30003", "soft")])
def test_a_number_that_does_not_exist_is_hard_and_one_switched_off_soft(
    settings: Any, delivery: Delivery, code: str, kind: str
) -> None:
    Delivery.objects.update(status="sent")
    assert call(settings, status_path(delivery), MessageStatus="undelivered", ErrorCode=code) == 204
    assert Bounce.objects.get().kind == kind
    assert Suppression.objects.exists() == (kind == "hard")


def test_what_another_token_signed_is_refused(settings: Any, delivery: Delivery) -> None:
    assert call(settings, status_path(delivery), token="another", MessageStatus="delivered") == 403
    delivery.refresh_from_db()
    assert delivery.status == "unknown"


def test_stop_ends_all_messages_to_the_number_and_other_words_do_not(
    settings: Any, account: SenderAccount, delivery: Delivery
) -> None:
    path = f"/hooks/sms/{account.pk}/inbound"
    assert call(settings, path, From=PHONE, Body="When do you open?") == 200
    assert not Suppression.objects.exists()
    # A reply to the last message, which so has arrived; told twice it counts once.
    assert call(settings, path, From=PHONE, Body="When do you open?") == 200
    reply = Event.objects.get(name="Message Replied")
    assert (reply.customer_id, reply.properties["channel"]) == (delivery.customer_id, "sms")
    assert "open" not in str(reply.properties)
    assert call(settings, path, token="another", From=PHONE, Body="STOP") == 403
    assert call(settings, path, From=PHONE, Body=" Stop. ") == 200
    assert Suppression.objects.get().reason == "unsubscribed"
    # It is no reply, and the guardrail of the report counts it.
    assert Event.objects.filter(name="Message Replied").count() == 1
    assert Event.objects.get(name="Message Unsubscribed").properties["scope"] == "all"


def test_who_wrote_stop_to_the_provider_has_unsubscribed_and_not_bounced(
    settings: Any, delivery: Delivery
) -> None:
    form = {"MessageStatus": "undelivered", "ErrorCode": "21610"}
    assert call(settings, status_path(delivery), **form) == 204
    assert Suppression.objects.get().reason == "unsubscribed"
    assert not Bounce.objects.exists()
    assert Event.objects.filter(name="Message Unsubscribed").count() == 1
