"""What is kept of a network address as proof of a consent: never the whole address."""

import hashlib
import hmac
import ipaddress
import re

from django.conf import settings

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
        network = _network(address.strip())
    except ValueError:
        return ""
    if policy == "none":
        return ""
    if policy == "hashed":
        whole = address.strip().lower().encode()
        return "hmac:" + hmac.new(settings.ADDRESS_KEY.encode(), whole, hashlib.sha256).hexdigest()[:32]
    return str(network)


def _network(address: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """/24 of IPv4, /48 of IPv6: a provider's customers, not a household."""
    host, _, _prefix = address.partition("/")
    parsed = ipaddress.ip_address(host)
    mapped = getattr(parsed, "ipv4_mapped", None)
    parsed = mapped or parsed
    return ipaddress.ip_network((parsed, 24 if parsed.version == 4 else 48), strict=False)
