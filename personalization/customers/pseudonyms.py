"""Stable stand-ins for customers in exports: the same in every one, worthless without the key."""

import hmac
from functools import lru_cache

from django.conf import settings

from personalization.access.encryption import derive_key


def pseudonym(customer_id: int) -> str:
    """`p` and 20 hex digits of a keyed hash. Whoever holds ADDRESS_KEY can tell whose it is, nobody else."""
    return "p" + hmac.digest(_key(settings.ADDRESS_KEY), str(customer_id).encode(), "sha256").hex()[:20]


@lru_cache(maxsize=4)
def _key(secret: str) -> bytes:
    return derive_key(secret, purpose="pseudonyms of customers")
