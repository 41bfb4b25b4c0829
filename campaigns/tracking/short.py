"""Short tracked links, for texts in which each character counts.

A token is 16 letters and digits (others may be cut off where a phone looks for the end of a link): an HMAC
of 56 bits under a key of its own and the number of a row. The address stands in the row, written before the
message goes out; a token that we did not sign leads nowhere.
"""

import hmac
import string
from datetime import datetime

from django.conf import settings
from django.db import connection

from campaigns.models import ShortLink
from campaigns.tracking.links import Link

ALPHABET = string.digits + string.ascii_letters
NUMBER_BITS, MAC_BYTES = 39, 7
TOKEN = 16  # characters, which hold a bit more than these 95 bits
_MAKE = """
    INSERT INTO campaigns_shortlink AS l (delivery_id, url, made_at) VALUES (%s, %s, %s)
    ON CONFLICT (delivery_id, md5(url)) DO UPDATE SET made_at = l.made_at RETURNING id
"""


def shorten(delivery_id: int, url: str, *, at: datetime) -> str:
    """The same link for the same address of a delivery, however often its message is made."""
    with connection.cursor() as cursor:
        cursor.execute(_MAKE, [delivery_id, url, at])
        (number,) = cursor.fetchone()
    return f"{settings.SITE_URL}/t/{_token(number)}"


def example(url: str) -> str:
    """What stands for a short link in a message that nobody gets: as long as one, and leading nowhere."""
    return f"{settings.SITE_URL}/t/{'0' * TOKEN}"


def read(token: str) -> Link | None:
    """None for anything that was not signed by us, and for links whose message was erased."""
    if len(token) != TOKEN or not set(token) <= set(ALPHABET):
        return None
    value = 0
    for character in token:
        value = value * len(ALPHABET) + ALPHABET.index(character)
    number = value % (1 << NUMBER_BITS)
    if not hmac.compare_digest((value >> NUMBER_BITS).to_bytes(MAC_BYTES + 1), b"\0" + _mac(number)):
        return None
    row = ShortLink.objects.filter(pk=number).first()
    return None if row is None else Link(row.delivery_id, int(row.made_at.timestamp()), row.url)


def _token(number: int) -> str:
    value = int.from_bytes(_mac(number)) << NUMBER_BITS | number
    characters = []
    for _ in range(TOKEN):
        value, rest = divmod(value, len(ALPHABET))
        characters.append(ALPHABET[rest])
    return "".join(reversed(characters))


def _mac(number: int) -> bytes:
    key = hmac.digest(settings.LINK_KEY.encode(), b"bespoke link: short", "sha256")
    return hmac.digest(key, number.to_bytes(8), "sha256")[:MAC_BYTES]
