"""Signed links: everything a link needs stands in it, and nothing in it can be changed.

A token is base64url(version, delivery, time, address, HMAC of 128 bits) under a key of its own per purpose,
so a click token never opens an unsubscribe. It names the delivery by number; a link holds no personal data.
"""

import base64
import binascii
import hmac
import struct
from dataclasses import dataclass
from functools import cache

from django.conf import settings

from personalization.keyed_hash import KeyedHash

HEAD = struct.Struct(">BQI")
VERSION = 1
MAC_BYTES = 16
MAX_TOKEN = 4000
SHORTEST_TOKEN = -(-(HEAD.size + MAC_BYTES) * 4 // 3)  # one without an address
URL_SAFE = bytes.maketrans(b"+/", b"-_")
OPEN, CLICK, UNSUBSCRIBE, MESSAGE, TRAP = "open", "click", "unsubscribe", "message-id", "trap"


@dataclass(frozen=True)
class Link:
    delivery_id: int
    issued_at: int  # seconds since the epoch
    url: str = ""


class Keys:
    """One of each purpose, with its state kept, and our address: read from the settings once for many
    messages, which is a tenth of the work of their links."""

    def __init__(self) -> None:
        self.site = settings.SITE_URL
        secret = settings.LINK_KEY
        self.open, self.click = _hash(OPEN, secret), _hash(CLICK, secret)
        self.unsubscribe, self.trap = _hash(UNSUBSCRIBE, secret), _hash(TRAP, secret)


class Links:
    """The links of one message, made by the thousand a second: what all of them share is packed once."""

    def __init__(self, delivery_id: int, issued_at: int, keys: Keys | None = None) -> None:
        self._keys = keys or Keys()
        self._head = HEAD.pack(VERSION, delivery_id, issued_at)
        self.unsubscribe = f"{self._keys.site}/t/u/{_token(self._keys.unsubscribe, self._head)}"

    @property
    def pixel(self) -> str:
        return f"{self._keys.site}/t/o/{_token(self._keys.open, self._head)}.gif"

    @property
    def trap(self) -> str:
        return f"{self._keys.site}/t/s/{_token(self._keys.trap, self._head)}"

    def click(self, url: str) -> str | None:
        """None for an address too long to be carried; it is then left untracked."""
        token = _token(self._keys.click, self._head + url.encode(errors="replace"))
        return f"{self._keys.site}/t/c/{token}" if len(token) <= MAX_TOKEN else None


@cache
def _key(purpose: str, secret: str) -> bytes:
    return hmac.digest(secret.encode(), b"bespoke link: " + purpose.encode(), "sha256")


@cache
def _hash(purpose: str, secret: str) -> KeyedHash:
    return KeyedHash(_key(purpose, secret))


def _token(key: KeyedHash, payload: bytes) -> str:
    mac = key.digest(payload)[:MAC_BYTES]
    return binascii.b2a_base64(payload + mac, newline=False).translate(URL_SAFE, b"=").decode()


def sign(purpose: str, link: Link) -> str:
    payload = HEAD.pack(VERSION, link.delivery_id, link.issued_at) + link.url.encode(errors="replace")
    return _token(_hash(purpose, settings.LINK_KEY), payload)


def read(purpose: str, token: str) -> Link | None:
    """None for anything that was not signed by us for this purpose."""
    if len(token) > MAX_TOKEN or not token.isascii():
        return None
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    payload, mac = raw[:-MAC_BYTES], raw[-MAC_BYTES:]
    if len(payload) < HEAD.size or payload[0] != VERSION:
        return None
    # One token has one spelling: the unused bits at the end of base64 are part of what is signed.
    if base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != token:
        return None
    expected = _hash(purpose, settings.LINK_KEY).digest(payload)[:MAC_BYTES]
    if not hmac.compare_digest(mac, expected):
        return None
    _version, delivery_id, issued_at = HEAD.unpack_from(payload)
    try:
        return Link(delivery_id, issued_at, payload[HEAD.size :].decode())
    except UnicodeDecodeError:
        return None


def message_id(delivery_id: int, run_id: int, customer_id: int, channel: str) -> str:
    """32 hex digits: 12 name the delivery, 20 are an HMAC. The same for every try, so that a provider and a
    count can tell a double, and what comes back can be told to be about a message of ours."""
    text = f"{delivery_id}:{run_id}:{customer_id}:{channel}".encode()
    mac = _hash(MESSAGE, settings.LINK_KEY).digest(text).hex()
    return f"{delivery_id & 0xFFFFFFFFFFFF:012x}{mac[:20]}"


def delivery_of(message_id: str) -> int | None:
    """The number of the delivery a Message-ID names, not yet verified; None when it cannot be one of ours."""
    if len(message_id) != 32 or any(c not in "0123456789abcdef" for c in message_id):
        return None
    return int(message_id[:12], 16)
