"""What the WhatsApp Cloud API calls back: believed only when it is signed with the app's secret."""

import hmac
import json
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
SECRET, PHONE = "the-secret-of-the-app", "+442079460018"


@pytest.fixture
def account() -> SenderAccount:
    values = {"phone_number_id": "106540352242922", "access_token": "t", "app_secret": SECRET}
    return accounts.save_account(None, channel="whatsapp", name="WhatsApp", values=values, actor="test")


@pytest.fixture
def delivery(account: SenderAccount, make_customers: Any) -> Delivery:
    make_customers(1, phone=PHONE)
    message = MessageDraft(key="a", subject="", body="", fields={"template": "hello"})
    campaign = services.save_campaign(
        None, name="Hello", segment=None, kind="triggered", channel="whatsapp", control_share=0.0,
        actor="test", sender_address="", messages=[message],
    )  # fmt: skip
    run = services.launch(campaign, actor="test")
    return Delivery.objects.create(
        run=run, customer=Customer.objects.get(), status="unknown", sent_at=timezone.now()
    )


def tell(account: SenderAccount, secret: str = SECRET, **value: Any) -> int:
    """As the service calls and signs."""
    change = {"field": "messages", "value": {"messaging_product": "whatsapp", **value}}
    call = {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]}
    body = json.dumps(call).encode()
    signature = "sha256=" + hmac.digest(secret.encode(), body, "sha256").hex()
    client = Client(headers={"x-hub-signature-256": signature})
    return client.post(f"/hooks/whatsapp/{account.pk}", body, "application/json").status_code


def status(delivery: Delivery, name: str, **more: Any) -> dict[str, Any]:
    number = links.message_id(delivery.pk, delivery.run_id, delivery.customer_id or 0, "whatsapp")
    return {
        "id": "wamid.A", "status": name, "timestamp": "1780000000", "recipient_id": PHONE[1:],
        "biz_opaque_callback_data": number, **more,
    }  # fmt: skip


def test_states_end_what_was_unknown_and_a_reading_is_an_opening(
    account: SenderAccount, delivery: Delivery
) -> None:
    for name in ("sent", "delivered", "read", "read"):
        assert tell(account, statuses=[status(delivery, name)]) == 200
    delivery.refresh_from_db()
    assert delivery.status == "sent"
    names = list(Event.objects.values_list("name", flat=True).order_by("name"))
    assert names == ["Message Delivered", "Message Opened", "Message Sent"]


def test_who_opted_out_at_the_service_gets_nothing_more(account: SenderAccount, delivery: Delivery) -> None:
    assert tell(account, statuses=[status(delivery, "failed", errors=[{"code": 131026}])]) == 200
    assert Bounce.objects.get().kind == "soft" and not Suppression.objects.exists()
    assert tell(account, statuses=[status(delivery, "failed", errors=[{"code": 131050}])]) == 200
    assert Suppression.objects.get().reason == "unsubscribed"


def test_what_people_write_is_a_reply_and_stop_ends_it(account: SenderAccount, delivery: Delivery) -> None:
    text = {"from": PHONE[1:], "id": "wamid.B", "type": "text", "text": {"body": "Thanks!"}}
    assert tell(account, messages=[text, text]) == 200
    assert Event.objects.filter(name="Message Replied").count() == 1
    button = {"from": PHONE[1:], "id": "wamid.C", "type": "button", "button": {"text": "Stop"}}
    assert tell(account, messages=[button]) == 200
    assert Suppression.objects.get().channel == "whatsapp"
    assert Event.objects.filter(name="Message Replied").count() == 1
    assert Event.objects.filter(name="Message Unsubscribed").count() == 1


def test_nothing_unsigned_is_believed_and_nothing_broken_is_an_error_of_ours(
    account: SenderAccount, delivery: Delivery
) -> None:
    assert tell(account, "another", statuses=[status(delivery, "delivered")]) == 403
    assert tell(account, statuses=[{"status": "delivered"}, 7]) == 400
    assert tell(account, statuses=[status(delivery, "failed", errors=[{"code": "x"}])]) == 400
    assert not Event.objects.filter(name="Message Delivered").exists()


def test_the_service_is_shown_the_token_that_the_page_of_the_sender_names(account: SenderAccount) -> None:
    url, token = (value for _label, value in accounts.facts_of(account))
    asked = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": token}
    path = f"/hooks/whatsapp/{account.pk}"
    assert url.endswith(path)
    assert Client().get(path, asked).content == b"1158201444"
    assert Client().get(path, {**asked, "hub.verify_token": "guess"}).status_code == 403
