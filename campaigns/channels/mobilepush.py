"""Notifications in an app by Firebase Cloud Messaging, HTTP v1, with a service account's signed token.

The message goes to every device whose token the app told us (`context.device.token` of its events); a token
that is gone is forgotten. `collapse_key` and tag are the message's own: a device shows it once however often
it arrives, so a call without an answer may be repeated.
"""

import base64
import json
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.channels._base import Field, Recipient
from campaigns.channels._texts import PushChannel, push_fields
from campaigns.channels.sms import check_base_url
from campaigns.transport.accounts import Account
from campaigns.transport.failover import HttpSession
from campaigns.transport.http import Call, HttpLine, NoAnswer, NotTaken, Reply, judge
from campaigns.transport.session import Answer, ChannelError, Outgoing, Session
from personalization.access.outbound import ForbiddenAddress
from personalization.customers.models import Identifier, IdentifierKind

SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
TOKEN_SECONDS = 3600
_tokens: dict[str, tuple[str, float]] = {}
_lock = threading.Lock()


class MobilePushChannel(PushChannel):
    name = "mobilepush"
    longest_address = 500
    body_label = gettext_lazy("Text")
    fields = push_fields(
        subject=gettext_lazy("Title"), link=gettext_lazy("Link"), image=gettext_lazy("Picture (https)")
    )
    account_fields = (
        Field(
            "service_account", gettext_lazy("Service account (JSON)"), is_required=True, is_secret=True,
            is_long=True, max_length=10_000,
            help=gettext_lazy("The file that Firebase's console gives for “Generate new private key”."),
        ),
        Field("base_url", gettext_lazy("Address of the service"), default="https://fcm.googleapis.com"),
    )  # fmt: skip

    @property
    def address_sql(self) -> str:
        return (
            "(SELECT i.value FROM customers_identifier AS i WHERE i.customer_id = c.id"
            " AND i.kind = 'push_token' ORDER BY i.created_at DESC, i.id DESC LIMIT 1)"
        )

    def devices(self, customer_ids: Sequence[int]) -> dict[int, list[Any]]:
        found: dict[int, list[Any]] = {}
        rows = Identifier.objects.filter(customer_id__in=customer_ids, kind=IdentifierKind.PUSH_TOKEN)
        for pk, token in rows.order_by("-created_at", "-pk").values_list("customer_id", "value"):
            found.setdefault(pk, []).append(token)
        return found

    def notification(self, rendered: Mapping[str, str], recipient: Recipient) -> dict[str, Any]:
        notification = {"title": rendered["subject"], "body": rendered["body"]}
        if rendered.get("image"):
            notification["image"] = rendered["image"]
        return {
            "notification": notification,
            "data": {"link": rendered.get("link", ""), "message_id": recipient.message_id},
            "android": {
                "collapse_key": recipient.message_id, "notification": {"tag": recipient.message_id},
            },
            "apns": {"headers": {"apns-collapse-id": recipient.message_id}},
        }  # fmt: skip

    def part(self, device: Any, notification: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        return device, {"message": {"token": device, **notification}}

    def session(self) -> Session:
        return HttpSession(self.name, self)

    def call(self, account: Account, message: Outgoing) -> Call:
        given = json.loads(account.values["service_account"])
        base = account.values.get("base_url") or "https://fcm.googleapis.com"
        return Call(
            f"{base}/v1/projects/{given['project_id']}/messages:send",
            json.dumps(message.data).encode(),
            {"Authorization": f"Bearer {access_token(given)}", "Content-Type": "application/json"},
            is_keyed=True,
        )

    def answer(self, reply: Reply, message: Outgoing) -> Answer:
        code = _code(reply.body)
        if code == "UNREGISTERED" or (reply.status == 404 and not code):
            self.forget([message.address])
            return Answer("gone", f"HTTP {reply.status}: the app was removed from this device")
        if code == "SENDER_ID_MISMATCH" or (reply.status == 400 and code == "INVALID_ARGUMENT"):
            return Answer("refused", f"HTTP {reply.status} {code}")
        if reply.status in (401, 403):
            _tokens.clear()
            raise ChannelError(f"the service account was refused: HTTP {reply.status}")
        return judge(reply)

    def forget(self, addresses: Sequence[str]) -> None:
        Identifier.objects.filter(kind=IdentifierKind.PUSH_TOKEN, value__in=list(addresses)).delete()

    def check_account(self, values: Mapping[str, str]) -> list[tuple[str, str]]:
        try:
            given = json.loads(values.get("service_account", ""))
            _assertion(given)
        except (ValueError, KeyError, TypeError):
            return [("service_account", _("This is not the JSON file of a service account."))]
        return check_base_url(given, "token_uri") + check_base_url(values)


def access_token(given: Mapping[str, str]) -> str:
    """A token for an hour, kept until five minutes before its end. Raises ChannelError."""
    with _lock:
        token, until = _tokens.get(given["client_email"], ("", 0.0))
        if time.time() < until:
            return token
        line = HttpLine(timeout=settings.SEND_TIMEOUT_SECONDS)
        form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": _assertion(given)}
        call = Call(
            given["token_uri"], urlencode(form).encode(),
            {"Content-Type": "application/x-www-form-urlencoded"},
        )  # fmt: skip
        try:
            reply = line.exchange(call, intent=lambda: None)
            found = json.loads(reply.body)
            token, seconds = str(found["access_token"]), float(found["expires_in"])
        except (ForbiddenAddress, NotTaken, NoAnswer, ValueError, KeyError, TypeError) as error:
            raise ChannelError("no access token for the service account") from error
        finally:
            line.close()
        _tokens[given["client_email"]] = (token, time.time() + seconds - 300)
        return token


def _assertion(given: Mapping[str, str]) -> str:
    """RFC 7523, signed with the account's RSA key."""
    now = int(time.time())
    claims = {
        "iss": given["client_email"], "scope": SCOPE, "aud": given["token_uri"], "iat": now,
        "exp": now + TOKEN_SECONDS,
    }  # fmt: skip
    key = load_pem_private_key(given["private_key"].encode(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("not an RSA key")
    signed = f"{_part({'alg': 'RS256', 'typ': 'JWT'})}.{_part(claims)}"
    signature = key.sign(signed.encode(), padding.PKCS1v15(), SHA256())
    return f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def _part(claims: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()


def _code(body: bytes) -> str:
    """FCM's own code, for example UNREGISTERED; else the general status."""
    try:
        error = json.loads(body)["error"]
        for detail in error.get("details") or ():
            if "errorCode" in detail:
                return str(detail["errorCode"])
        return str(error.get("status", ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""
