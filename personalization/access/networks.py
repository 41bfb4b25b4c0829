"""From where a request came, and how much of that may be kept."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def address_of(request: HttpRequest) -> str:
    """Behind a proxy of ours the last address is the one that the proxy itself saw."""
    if settings.SECURE_PROXY_SSL_HEADER and (chain := request.headers.get("X-Forwarded-For")):
        return chain.rsplit(",", 1)[-1].strip()
    return str(request.META.get("REMOTE_ADDR", ""))


def network_of(address: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """/24 of IPv4, /48 of IPv6: a provider's customers, not a household. Raises ValueError for no address."""
    host, _, _prefix = address.strip().partition("/")
    parsed = ipaddress.ip_address(host)
    parsed = getattr(parsed, "ipv4_mapped", None) or parsed
    return ipaddress.ip_network((parsed, 24 if parsed.version == 4 else 48), strict=False)
