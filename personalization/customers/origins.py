"""What is kept of a network address as proof of a consent: never the whole address."""

import hashlib
import hmac
import re

from django.conf import settings

from personalization.access.networks import network_of

POLICIES = ("truncated", "hashed", "none")


def keep_origin(address: str) -> str:
    """The network of the address, or its keyed hash, or nothing, by ORIGIN_POLICY; "" for what is no address.

    What was already shortened or hashed stays as it is.
    """
    if re.fullmatch(r"hmac:[0-9a-f]{32}", address):
        return address
    policy = settings.ORIGIN_POLICY
    if policy not in POLICIES:
        raise ValueError(f"ORIGIN_POLICY is {policy!r}, it must be one of {', '.join(POLICIES)}")
    try:
        network = network_of(address)
    except ValueError:
        return ""
    if policy == "none":
        return ""
    if policy == "hashed":
        whole = address.strip().lower().encode()
        return "hmac:" + hmac.new(settings.ADDRESS_KEY.encode(), whole, hashlib.sha256).hexdigest()[:32]
    return str(network)
