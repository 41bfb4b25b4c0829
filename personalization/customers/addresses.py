"""Addresses as keyed hashes: comparable with a suppression list, worthless to whoever copies it."""

from functools import lru_cache

from django.conf import settings

from personalization.keyed_hash import keyed_hash


def address_hash(channel: str, address: str) -> str:
    """HMAC-SHA256 in hex of channel and address; case and surrounding space do not count."""
    return _hash(settings.ADDRESS_KEY, channel, address)


@lru_cache(maxsize=2048)  # whoever sends asks for the addresses of a chunk several times
def _hash(key: str, channel: str, address: str) -> str:
    message = f"{channel}:{address.strip().lower()}".encode(errors="replace")
    return keyed_hash(key.encode()).digest(message).hex()
