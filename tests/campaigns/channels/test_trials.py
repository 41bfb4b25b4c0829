"""One message to a test recipient: on every channel, marked, in no ledger, the answer in words."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from campaigns import channels
from campaigns.models import Delivery, Run, Touch
from personalization.access.models import AuditEntry, User
from personalization.access.services import create_key
from personalization.customers.services import suppress
from personalization.events.models import Event
from tests.campaigns.channels.drafts import DRAFTS

pytestmark = pytest.mark.django_db(transaction=True)
OVER_HTTP = [name for name in channels.names() if name != "email"]
PUSH = {"webpush", "mobilepush"}
# What shows that it is a test; a WhatsApp template is the provider's wording and cannot.
MARKS = {"webpush": "[Test] Hi", "mobilepush": "[Test] Hi", "webhook": "True"}


def call(path: str, body: Any, *scopes: str) -> Any:
    token = create_key(name="k", scopes=scopes or ("campaigns:read", "campaigns:write"))[1]
    return Client().post(
        f"/api/v1{path}", body, content_type="application/json", headers={"Authorization": f"Bearer {token}"}
    )


@pytest.fixture
def prepare(open_service, make_account, give_address, make_customers, make_campaign) -> Any:
    def make(channel: str, **account: Any) -> Any:
        service = open_service(channel)
        make_account(service, **account)
        person = make_customers(1, consent=False)[0]
        [address] = give_address(service, [person])
        campaign = make_campaign(channel=channel, drafts=(DRAFTS[channel],))
        return service, campaign, (str(person.external_id) if channel in PUSH else address)

    return make


@pytest.mark.parametrize("channel", OVER_HTTP)
def test_a_test_goes_out_marked_and_stands_in_no_ledger(channel, prepare) -> None:
    service, campaign, to = prepare(channel)
    answer = call(f"/campaigns/{campaign.pk}/test-send", {"to": to, "customer": ""})
    assert answer.status_code == 200, answer.content
    assert answer.json()["channel"] == channel and "HTTP 20" in answer.json()["detail"]
    [(_to, text)] = service.taken
    assert (
        text.startswith("[Test] Hello")
        if channel == "sms"
        else service.keys.get("mark") == MARKS.get(channel)
    )
    assert not (Run.objects.exists() or Delivery.objects.exists() or Touch.objects.exists())
    assert not Event.objects.filter(name="Message Sent").exists()
    entry = AuditEntry.objects.get(action="campaign.tested")
    assert entry.detail == {"channel": channel, "outcome": "sent"}


@pytest.mark.parametrize("channel", OVER_HTTP)
def test_what_the_provider_says_is_told_in_words(channel, prepare) -> None:
    service, campaign, to = prepare(channel)
    service.fault = lambda path, number: {1: 400, 2: 429, 3: "drop"}[number]
    path = f"/campaigns/{campaign.pk}/test-send"
    told = [call(path, {"to": to}) for _ in range(3)]
    assert [one.status_code for one in told] == [422, 422, 422]
    refused, busy, silent = (one.json()["detail"] for one in told)
    assert refused.startswith("The provider refused the test: HTTP 400")
    assert "try again in a minute" in busy and "HTTP 429" in busy
    assert "no answer" in silent


def test_a_provider_that_refuses_the_account_is_named(prepare) -> None:
    _service, campaign, to = prepare("sms", auth_token="wrong")
    told = call(f"/campaigns/{campaign.pk}/test-send", {"to": to}).json()["detail"]
    assert "the account was refused: HTTP 401" in told


@pytest.mark.parametrize("channel", ["sms", "whatsapp", "webpush", "mobilepush"])
def test_what_is_no_recipient_is_answered_with_what_to_write(channel, prepare) -> None:
    service, campaign, _to = prepare(channel)
    answer = call(f"/campaigns/{campaign.pk}/test-send", {"to": "nobody"})
    assert answer.status_code == 422 and answer.json()["errors"][0]["pointer"] == "/to"
    assert str(channels.get(channel).test_help) in answer.json()["detail"] and service.requests == 0


def test_a_suppressed_number_gets_no_test_either(prepare) -> None:
    service, campaign, to = prepare("sms")
    suppress(channel="sms", address=to, reason="manual")
    assert call(f"/campaigns/{campaign.pk}/test-send", {"to": to}).status_code == 422
    assert service.requests == 0


def test_writing_as_a_customer_needs_the_right_to_read_them(prepare) -> None:
    service, campaign, to = prepare("sms")
    asked = {"to": to, "customer": "c0"}
    assert call(f"/campaigns/{campaign.pk}/test-send", asked).status_code == 403
    answer = call(f"/campaigns/{campaign.pk}/test-send", asked, "campaigns:write", "customers:read")
    assert answer.status_code == 200 and service.taken[0][1].startswith("[Test] Hello Name0")


def test_the_editor_sends_what_is_written_there(prepare, client) -> None:
    service, _campaign, to = prepare("sms")
    client.force_login(User.objects.create_superuser("ann", "ann@shop.example", "x"))
    body = {"channel": "sms", "body": "Unsaved {{ customer.first_name }}. STOP to end", "to": to}
    answer = client.post(reverse("campaigns:send-test"), body, content_type="application/json")
    assert answer.json() == {"address": to}
    assert service.taken == [(to, "[Test] Unsaved Name0. STOP to end")]


def test_a_test_mail_is_marked_in_its_subject(sink, make_customers, make_campaign) -> None:
    make_customers(1)
    campaign = make_campaign()
    answer = call(f"/campaigns/{campaign.pk}/test-send", {"to": "me@shop.example"})
    assert answer.status_code == 200, answer.content
    [(to, data)] = sink.accepted
    assert to == "me@shop.example" and b"Subject: [Test] Hi" in data and not Delivery.objects.exists()
