"""Notifications in the browser: encrypted for it (RFC 8291), signed by us (VAPID, RFC 8292), handed to the
push service that the browser named (RFC 8030).

The message goes to all browsers of the customer; one that is gone is forgotten. The notification's tag is the
message's own, so a browser shows it once however often it arrives; a call without an answer may therefore be
repeated.
"""

import base64
import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import serialization
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from py_vapid import Vapid02
from py_vapid.utils import b64urlencode
from pywebpush import WebPusher, WebPushException

from campaigns.channels._base import Field, Recipient
from campaigns.channels._texts import PushChannel, push_fields
from campaigns.models import PushSubscription
from campaigns.transport.accounts import Account, accounts_of
from campaigns.transport.failover import HttpSession
from campaigns.transport.http import Call, Reply, judge
from campaigns.transport.session import Answer, ChannelError, Outgoing, Session

LIVES_SECONDS = 24 * 3600
SIGNED_FOR_SECONDS = 12 * 3600
MAX_PAYLOAD = 3000  # every push service takes at least 4,096 bytes, encryption included


class WebPushChannel(PushChannel):
    name = "webpush"
    longest_address = 2000
    body_label = gettext_lazy("Text")
    fields = push_fields(
        subject=gettext_lazy("Title"), link=gettext_lazy("Link"), image=gettext_lazy("Picture (https)")
    )
    account_fields = (
        Field("contact", gettext_lazy("Contact (mailto: or https:)"), is_required=True),
        Field(
            "private_key", gettext_lazy("VAPID private key"), is_secret=True,
            help=gettext_lazy("Empty: a new pair of keys is made."),
        ),
    )  # fmt: skip

    @property
    def address_sql(self) -> str:
        return (
            "(SELECT p.endpoint FROM campaigns_pushsubscription AS p WHERE p.customer_id = c.id"
            " ORDER BY p.seen_at DESC, p.id DESC LIMIT 1)"
        )

    def devices(self, customer_ids: Sequence[int]) -> dict[int, list[Any]]:
        found: dict[int, list[Any]] = {}
        rows = PushSubscription.objects.filter(customer_id__in=customer_ids).order_by("-seen_at", "-pk")
        for row in rows:
            keys = {"p256dh": row.p256dh, "auth": row.auth}
            found.setdefault(row.customer_id, []).append({"endpoint": row.endpoint, "keys": keys})
        return found

    def notification(self, rendered: Mapping[str, str], recipient: Recipient) -> bytes:
        shown = {
            "title": rendered["subject"], "body": rendered["body"], "url": rendered.get("link", ""),
            "image": rendered.get("image", ""), "tag": recipient.message_id,
        }  # fmt: skip
        data = json.dumps(shown, ensure_ascii=False).encode()
        if len(data) > MAX_PAYLOAD:
            raise ValueError("the notification is longer than 3,000 bytes")
        return data

    def part(self, device: Any, notification: bytes) -> tuple[str, bytes]:
        try:
            return device["endpoint"], WebPusher(device).encode(notification)["body"]
        except (WebPushException, ValueError) as error:
            raise ValueError("the browser's keys are not valid") from error

    def session(self) -> Session:
        return HttpSession(self.name, self)

    def call(self, account: Account, message: Outgoing) -> Call:
        parts = urlsplit(message.address)
        headers = {
            **_vapid(account.values["private_key"], account.values["contact"], f"{parts.scheme}://{parts.netloc}",
                     int(timezone.now().timestamp()) // 3600),
            "TTL": str(LIVES_SECONDS), "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream", "Topic": message.key,
        }  # fmt: skip
        return Call(message.address, message.data, headers, is_keyed=True)

    def answer(self, reply: Reply, message: Outgoing) -> Answer:
        if reply.status in (404, 410):
            self.forget([message.address])
            return Answer("gone", f"HTTP {reply.status}: the browser no longer wants notifications")
        if reply.status == 401 or (reply.status == 403 and b"vapid" in reply.body.lower()):
            raise ChannelError(f"our VAPID key was refused: HTTP {reply.status}")
        return judge(reply)

    def forget(self, addresses: Sequence[str]) -> None:
        hashes = [PushSubscription.hash_of(endpoint) for endpoint in addresses]
        PushSubscription.objects.filter(endpoint_hash__in=hashes).delete()

    def check_account(self, values: Mapping[str, str]) -> list[tuple[str, str]]:
        found = []
        if not re.fullmatch(r"(mailto:\S+@\S+|https://\S+)", values.get("contact", "")):
            text = _("Push services want to reach you: write mailto:you@example.com or an https address.")
            found.append(("contact", text))
        try:
            public_key(values.get("private_key", ""))
        except ValueError:
            found.append(("private_key", _("This is no P-256 key in base64url.")))
        return found


def new_private_key() -> str:
    vapid = Vapid02()
    vapid.generate_keys()
    number = vapid.private_key.private_numbers().private_value
    return base64.urlsafe_b64encode(number.to_bytes(32, "big")).rstrip(b"=").decode()


def public_key(private_key: str) -> str:
    """What a page needs to subscribe, in base64url. Raises ValueError."""
    try:
        vapid = Vapid02.from_string(private_key)
    except Exception as error:  # the library lets through what its decoders raise
        raise ValueError("not a VAPID key") from error
    point = vapid.public_key.public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    return str(b64urlencode(point))


def current_public_key() -> str:
    """Of the account that sends; empty when there is none."""
    accounts = accounts_of(WebPushChannel.name)
    return public_key(accounts[0].values["private_key"]) if accounts else ""


@lru_cache(maxsize=256)
def _vapid(private_key: str, contact: str, origin: str, hour: int) -> dict[str, str]:
    claims = {"sub": contact, "aud": origin, "exp": hour * 3600 + SIGNED_FOR_SECONDS}
    found: dict[str, str] = Vapid02.from_string(private_key).sign(claims)
    return found


__all__ = ["WebPushChannel", "current_public_key", "new_private_key", "public_key"]
