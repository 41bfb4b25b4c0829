"""Addresses as keyed hashes: comparable with a suppression list, worthless to whoever copies it."""

import hmac

from django.conf import settings


def address_hash(channel: str, address: str) -> str:
    """HMAC-SHA256 in hex of channel and address; case and surrounding space do not count."""
    message = f"{channel}:{address.strip().lower()}".encode(errors="replace")
    return hmac.digest(settings.ADDRESS_KEY.encode(), message, "sha256").hex()
