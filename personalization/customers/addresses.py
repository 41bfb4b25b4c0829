"""Addresses as keyed hashes: comparable with a suppression list, worthless to whoever copies it."""

from django.conf import settings

from personalization.keyed_hash import keyed_hash


def address_hash(channel: str, address: str) -> str:
    """HMAC-SHA256 in hex of channel and address; case and surrounding space do not count."""
    message = f"{channel}:{address.strip().lower()}".encode(errors="replace")
    return keyed_hash(settings.ADDRESS_KEY.encode()).digest(message).hex()
