"""Calls of e-mail providers, each signed as that provider signs."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from tests.campaigns.feedback import amazon

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
