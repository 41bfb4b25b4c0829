"""Calls of e-mail providers, each signed as that provider signs: right, wrong, missing, and told again."""

import base64
import hashlib
import hmac
import json
import pkgutil
import threading
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode

import anymail.webhooks
import pytest
from anymail.signals import AnymailTrackingEvent
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
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

pytestmark = pytest.mark.django_db
KEY, USER = "canary-key", "hook:canary"
THEIRS = "4711"  # the number that a provider without metadata took the message under
SAID = "550 5.1.1 The email account that you tried to reach does not exist"
TO = "ann@example.com"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:shop"
SVIX = b"canary-of-24-bytes-or-so"
SVIX_SECRET = f"whsec_{base64.b64encode(SVIX).decode()}"
RSA, EC = rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP256R1())
Headers = dict[str, str]
Signed = tuple[bytes, str, Headers]  # body, type, headers


def public(key: Any) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return base64.b64encode(key.public_key().public_bytes(serialization.Encoding.DER, form)).decode()


def digest(key: str, text: bytes) -> str:
    return hmac.new(key.encode(), text, hashlib.sha256).hexdigest()


def as_json(found: Any) -> tuple[bytes, str]:
    return json.dumps(found).encode(), "application/json"


def basic(found: Any) -> Signed:
    return *as_json(found), {"Authorization": "Basic " + base64.b64encode(USER.encode()).decode()}


def mailgun(url: str, number: str) -> Signed:
    at = str(int(time.time()))
    event = {
        "event": "failed", "severity": "permanent", "reason": "bounce", "id": "m1", "timestamp": float(at),
        "recipient": TO, "user-variables": {"message_id": number}, "delivery-status": {"message": SAID},
        "message": {"headers": {"message-id": "x"}}, "log-level": "error",
    }  # fmt: skip
    block = {"timestamp": at, "token": "t" * 50, "signature": digest(KEY, f"{at}{'t' * 50}".encode())}
    return *as_json({"signature": block, "event-data": event}), {}


def mailersend(url: str, number: str) -> Signed:
    data = {
        "id": "e1", "object": "activity", "type": "hard_bounced", "created_at": "2026-11-05T16:33:54.000000Z",
        "morph": {"object": "recipient_bounce", "reason": SAID},
        "email": {"message": {"id": THEIRS}, "recipient": {"email": TO}, "tags": []},
    }  # fmt: skip
    body, kind = as_json({"type": "activity.hard_bounced", "data": data})
    return body, kind, {"Signature": digest(KEY, body)}


def mailtrap(url: str, number: str) -> Signed:
    event = {
        "event": "bounce", "message_id": "x", "email": TO, "timestamp": 1_700_000_000, "event_id": "e1",
        "custom_variables": {"message_id": number}, "response": SAID, "response_code": 550,
    }  # fmt: skip
    body, kind = as_json({"events": [event]})
    return body, kind, {"Mailtrap-Signature": digest(KEY, body)}


def mandrill(url: str, number: str) -> Signed:
    message = {"email": TO, "_id": "x", "metadata": {"message_id": number}, "diag": SAID,
               "bounce_description": "bad_mailbox", "state": "bounced"}  # fmt: skip
    events = json.dumps([{"event": "hard_bounce", "_id": "e1", "ts": 1_700_000_000, "msg": message}])
    mac = hmac.new(KEY.encode(), f"{url}mandrill_events{events}".encode(), hashlib.sha1).digest()
    kind = "application/x-www-form-urlencoded"
    return (
        urlencode({"mandrill_events": events}).encode(), kind,
        {"X-Mandrill-Signature": base64.b64encode(mac).decode()},
    )  # fmt: skip


def postal(url: str, number: str) -> Signed:
    original = {"id": int(THEIRS), "token": "x", "message_id": f"{number}@shop.example", "to": TO}
    payload = {"original_message": original, "bounce": {"id": 2, "subject": SAID}}
    body, kind = as_json(
        {"event": "MessageBounced", "timestamp": 1_700_000_000, "uuid": "e1", "payload": payload}
    )
    mac = RSA.sign(body, padding.PKCS1v15(), hashes.SHA1())  # theirs
    return body, kind, {"X-Postal-Signature": base64.b64encode(mac).decode()}


def sendgrid(url: str, number: str) -> Signed:
    event = {"email": TO, "timestamp": 1_700_000_000, "event": "bounce", "type": "bounce", "reason": SAID,
             "status": "5.1.1", "sg_event_id": "e1", "sg_message_id": "x", "message_id": number}  # fmt: skip
    body, kind = as_json([event])
    at = str(int(time.time()))
    mac = EC.sign(at.encode() + body, ec.ECDSA(hashes.SHA256()))
    return body, kind, {
        "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(mac).decode(),
        "X-Twilio-Email-Event-Webhook-Timestamp": at,
    }  # fmt: skip


def brevo(url: str, number: str) -> Signed:
    return basic({"event": "hard_bounce", "email": TO, "id": 7, "ts_event": 1_700_000_000, "reason": SAID,
                  "message-id": "<x>", "X-Mailin-custom": json.dumps({"message_id": number})})  # fmt: skip


def mailjet(url: str, number: str) -> Signed:
    return basic({"event": "bounce", "time": 1_700_000_000, "MessageID": 7, "email": TO, "hard_bounce": True,
                  "error": "user unknown", "error_related_to": "recipient", "comment": SAID,
                  "Payload": json.dumps({"message_id": number})})  # fmt: skip


def sparkpost(url: str, number: str) -> Signed:
    event = {"type": "bounce", "event_id": "e1", "timestamp": "1700000000", "rcpt_to": TO,
             "bounce_class": "10", "raw_reason": SAID, "rcpt_meta": {"message_id": number},
             "message_id": "x"}  # fmt: skip
    return basic([{"msys": {"message_event": event}}])


def postmark(url: str, number: str) -> Signed:
    return basic({"RecordType": "Bounce", "MessageID": "x", "Type": "HardBounce", "TypeCode": 1, "Email": TO,
                  "BouncedAt": "2026-11-05T16:33:54Z", "Details": SAID, "ID": 7, "Description": "",
                  "Metadata": {"message_id": number}})  # fmt: skip


def unisender_go(url: str, number: str) -> Signed:
    said = {"delivery_status": "err_user_unknown", "destination_response": SAID}
    data = {"job_id": "x", "email": TO, "status": "hard_bounced", "event_time": "2026-11-05 16:33:54",
            "metadata": {"message_id": number}, "delivery_info": said}  # fmt: skip
    events = [{"event_name": "transactional_email_status", "event_data": data}]
    body = json.dumps({"auth": KEY, "events_by_user": [{"events": events}]}).encode()
    auth = hashlib.md5(body).hexdigest()  # theirs
    return body.replace(KEY.encode(), auth.encode()), "application/json", {}


def amazon_ses(url: str, number: str) -> Signed:
    mail = {"messageId": "x", "destination": [TO],
            "headers": [{"name": "X-Metadata", "value": json.dumps({"message_id": number})}]}  # fmt: skip
    bounce = {"bounceType": "Permanent", "bounceSubType": "General",
              "bouncedRecipients": [{"emailAddress": TO, "diagnosticCode": f"smtp; {SAID}"}]}  # fmt: skip
    said = json.dumps({"eventType": "Bounce", "mail": mail, "bounce": bounce})
    return from_sns({"Type": "Notification", "MessageId": "e1", "Message": said,
                     "Timestamp": "2026-11-05T16:33:54.000Z", "TopicArn": TOPIC})  # fmt: skip


def from_sns(found: dict[str, str]) -> Signed:
    body, _kind, headers = basic(amazon.signed(found))
    said = {"x-amz-sns-message-type": found["Type"], "x-amz-sns-message-id": found["MessageId"]}
    return body, "text/plain; charset=UTF-8", {**headers, **said}


def resend(url: str, number: str) -> Signed:
    said = "The recipient's email provider sent a hard bounce message, but didn't specify the reason."
    data = {"email_id": "x", "to": [TO], "bounce": {"message": said, "type": "Permanent"},
            "headers": [{"name": "X-Metadata", "value": json.dumps({"message_id": number})}]}  # fmt: skip
    body, kind = as_json({"type": "email.bounced", "created_at": "2026-11-05T16:33:54.000Z", "data": data})
    at = str(int(time.time()))
    mac = hmac.new(SVIX, f"e1.{at}.{body.decode()}".encode(), hashlib.sha256).digest()
    given = {"svix-id": "e1", "svix-timestamp": at, "svix-signature": f"v1,{base64.b64encode(mac).decode()}"}
    return body, kind, given


PROVIDERS: Mapping[str, tuple[Callable[[str, str], Signed], dict[str, str]]] = {
    "amazon_ses": (amazon_ses, {"webhook_secret": USER}),
    "brevo": (brevo, {"webhook_secret": USER}),
    "mailersend": (mailersend, {"signing_secret": KEY}),
    "mailgun": (mailgun, {"webhook_signing_key": KEY}),
    "mailjet": (mailjet, {"webhook_secret": USER}),
    "mailtrap": (mailtrap, {"tracking_secret": KEY}),
    "mandrill": (mandrill, {"webhook_key": KEY}),
    "postal": (postal, {"webhook_key": public(RSA)}),
    "postmark": (postmark, {"webhook_secret": USER}),
    "resend": (resend, {"signing_secret": SVIX_SECRET}),
    "sendgrid": (sendgrid, {"tracking_webhook_verification_key": public(EC)}),
    "sparkpost": (sparkpost, {"webhook_secret": USER}),
    "unisender_go": (unisender_go, {"api_key": KEY}),
}


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
