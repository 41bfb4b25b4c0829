"""Calls of e-mail providers, each signed as that provider signs: right, wrong, missing, and told again."""

import base64
import json
import pkgutil
import threading
from collections.abc import Mapping
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs

import anymail.webhooks
import pytest
from anymail.signals import AnymailTrackingEvent
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from django.test import Client
from django.utils import timezone

from campaigns import services
from campaigns.feedback import sns
from campaigns.feedback.providers import take_event
from campaigns.models import Bounce, Delivery, SenderAccount
from campaigns.senders import accounts
from campaigns.tracking import links
from campaigns.transport.mail_backend import taken_as
from personalization.customers.models import Suppression
from personalization.events.models import Event
from tests.campaigns.feedback import amazon
from tests.campaigns.feedback.signed import (
    PROVIDERS,
    THEIRS,
    TO,
    TOPIC,
    USER,
    Signed,
    amazon_ses,
    basic,
    from_sns,
    postmark,
    public,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def certificate_of_amazon(monkeypatch: Any) -> None:
    sns._key.cache_clear()
    monkeypatch.setattr(sns, "_fetch", lambda place: amazon.PEM)


@pytest.fixture
def delivery(make_customers: Any, make_campaign: Any) -> Delivery:
    make_customers(1, email=TO)
    run = services.launch(make_campaign(), actor="test")
    Delivery.objects.filter(run=run).update(
        status="sent", sent_at=timezone.now() - timedelta(days=1), detail=f"taken as {THEIRS}"
    )
    return Delivery.objects.get(run=run)


def number_of(delivery: Delivery) -> str:
    return links.message_id(delivery.pk, delivery.run_id, delivery.customer_id, "email")


def hook(provider: str, secrets: Mapping[str, str], settings: Mapping[str, Any] | None = None) -> str:
    values = {
        "backend": f"anymail.backends.{provider}.EmailBackend", "webhook_settings": json.dumps(secrets),
        "settings": json.dumps(settings or {}),
    }  # fmt: skip
    row = accounts.save_account(None, channel="email", name=provider, values=values, actor="test")
    return f"/hooks/email/{row.pk}"


def call(path: str, signed: Signed) -> int:
    body, kind, headers = signed
    return Client().generic("POST", path, body, content_type=kind, headers=headers).status_code


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_signed_call_is_believed_and_told_again_counts_once(provider: str, delivery: Delivery) -> None:
    sign, secrets = PROVIDERS[provider]
    path = hook(provider, secrets)
    signed = sign(f"http://testserver{path}", number_of(delivery))
    assert [call(path, signed), call(path, signed)] == [200, 200]
    assert Bounce.objects.get().kind == "hard" and Suppression.objects.get().reason == "bounced"
    assert Event.objects.filter(name="Message Bounced").count() == 1


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_call_signed_by_another_key_does_nothing(provider: str, delivery: Delivery) -> None:
    sign, secrets = PROVIDERS[provider]
    others = {name: "other:key" for name in secrets}
    if provider == "resend":
        others = {"signing_secret": "whsec_" + base64.b64encode(b"other").decode()}
    elif provider in ("postal", "sendgrid"):
        other = (
            rsa.generate_private_key(65537, 2048)
            if provider == "postal"
            else ec.generate_private_key(ec.SECP256R1())
        )
        others = dict.fromkeys(secrets, public(other))
    path = hook(provider, others)
    assert call(path, sign(f"http://testserver{path}", number_of(delivery))) == 403
    assert not Bounce.objects.exists() and not Suppression.objects.exists()


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_call_changed_on_the_way_or_not_signed_does_nothing(provider: str, delivery: Delivery) -> None:
    sign, secrets = PROVIDERS[provider]
    path = hook(provider, secrets)
    body, kind, _headers = sign(f"http://testserver{path}", number_of(delivery))
    forged = body.replace(b'"signature": "', b'"signature": "0').replace(b'"auth": "', b'"auth": "0')
    assert call(path, (forged, kind, {})) == (401 if "webhook_secret" in secrets else 403)
    assert not Bounce.objects.exists()


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("secrets", [{"secret": "misnamed"}, {"webhook_secret": ""}, {}])
def test_secrets_that_check_nothing_let_nobody_in(
    provider: str, secrets: Mapping[str, str], delivery: Delivery
) -> None:
    path = hook(provider, secrets)
    assert call(path, PROVIDERS[provider][0](f"http://testserver{path}", number_of(delivery))) == 403
    assert not Bounce.objects.exists()


def test_a_number_that_we_never_gave_is_about_no_message_of_ours(delivery: Delivery) -> None:
    path = hook("postmark", {"webhook_secret": USER})
    assert call(path, postmark(path, f"{delivery.pk:012x}" + "a" * 20)) == 200
    assert not Bounce.objects.exists() and not Suppression.objects.exists()


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff"])
def test_what_cannot_be_read_never_breaks_anything(body: bytes) -> None:
    path = hook("postmark", {"webhook_secret": USER})
    assert call(path, (body, "application/json", basic({})[2])) in (400, 403)


def test_an_event_about_somebody_elses_mail_to_the_same_address_is_not_ours(delivery: Delivery) -> None:
    """Numbers that look like addresses differ, too."""
    Delivery.objects.filter(pk=delivery.pk).update(detail=taken_as("<ours@shop.example>"))
    event = AnymailTrackingEvent(
        event_type="bounced", recipient=TO, message_id="<theirs@shop.example>", reject_reason="bounced"
    )
    account = SenderAccount(pk=1)
    assert not take_event(account, event) and not Bounce.objects.exists()
    event.message_id = "<ours@shop.example>"
    assert take_event(account, event)


def test_a_call_that_knows_the_password_and_is_not_amazons_is_refused(delivery: Delivery) -> None:
    body, kind, headers = amazon_ses("", number_of(delivery))
    path = hook("amazon_ses", {"webhook_secret": USER})
    forged = body.replace(b"Permanent", b"Transient")
    assert forged != body and call(path, (forged, kind, headers)) == 403
    assert not Bounce.objects.exists()


def test_a_call_of_amazons_that_cannot_be_checked_now_is_asked_for_again(
    delivery: Delivery, monkeypatch: Any
) -> None:
    def away(place: str) -> bytes:
        raise sns.CannotCheck("away")

    monkeypatch.setattr(sns, "_fetch", away)
    path = hook("amazon_ses", {"webhook_secret": USER})
    assert call(path, amazon_ses("", number_of(delivery))) == 503 and not Bounce.objects.exists()


def test_every_provider_that_calls_is_tried_here() -> None:
    named = {one.name for one in pkgutil.iter_modules(anymail.webhooks.__path__)}
    assert named - {"base", "sendinblue"} == set(PROVIDERS)  # sendinblue is brevo's former name


def test_a_subscription_of_amazons_is_confirmed_with_the_accounts_key(monkeypatch) -> None:
    asked: list[tuple[str, bytes]] = []

    class Sns(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            asked.append((self.headers["Authorization"], body))
            found = b"<ConfirmSubscriptionResponse><ConfirmSubscriptionResult/></ConfirmSubscriptionResponse>"
            self.send_response(200)
            self.send_header("Content-Length", str(len(found)))
            self.end_headers()
            self.wfile.write(found)

        def log_message(self, *args: Any) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Sns)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("AWS_ENDPOINT_URL_SNS", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    key = {"aws_access_key_id": "AKIDEXAMPLE", "aws_secret_access_key": "secret"}
    signed = from_sns(
        {
            "Type": "SubscriptionConfirmation",
            "MessageId": "s1",
            "Token": "t0",
            "TopicArn": TOPIC,
            "Message": "Confirm",
            "Timestamp": "2026-11-05T16:33:54.000Z",
            "SubscribeURL": "https://x",
        }
    )
    try:
        assert call(hook("amazon_ses", {"webhook_secret": USER}, {"session_params": key}), signed) == 200
        SenderAccount.objects.all().delete()
        assert call(hook("amazon_ses", {"webhook_secret": USER}), signed) == 403  # we have no key
    finally:
        server.shutdown()
        server.server_close()
    [(signature, body)] = asked
    assert "Credential=AKIDEXAMPLE/" in signature and "/eu-west-1/sns/" in signature
    assert parse_qs(body.decode())["TopicArn"] == [TOPIC] and parse_qs(body.decode())["Token"] == ["t0"]
