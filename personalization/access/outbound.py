"""Calls to addresses that others name (webhooks, push services, gateways), without becoming their tool.

A name is looked up once, every address it has must be a public one, and the connection goes to exactly that
address: a name that answers differently the second time gains nothing. Redirects are never followed.
Networks of one's own are reached only when OUTBOUND_ALLOWED_HOSTS names the host.
"""

import http.client
import ipaddress
import socket
import ssl
import time
from functools import cache
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.utils.translation import gettext, gettext_noop

from personalization import tracing

MAX_URL = 2000
MAX_TRIED = 4  # addresses of a name; each may take the whole patience


class ForbiddenAddress(ValueError):
    """The address is not one that we call. Its text is English, for logs and rows."""

    @property
    def said(self) -> str:
        """Why, in the reader's language."""
        return gettext(str(self))


def check_url(url: str) -> SplitResult:
    """The parts of a URL we would call, as far as that can be told without looking its name up.

    Raises ForbiddenAddress: not http(s), with a user name, plain http to a host that is not ours.
    """
    try:
        parts = urlsplit(url)
        _port = parts.port
    except ValueError as error:
        raise ForbiddenAddress(gettext_noop("not an address")) from error
    if len(url) > MAX_URL or not url.isascii() or any(ord(c) <= 32 or ord(c) == 127 for c in url):
        raise ForbiddenAddress(gettext_noop("not an address"))
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ForbiddenAddress(gettext_noop("only https addresses are called"))
    if parts.username is not None or parts.password is not None:
        raise ForbiddenAddress(gettext_noop("a user name cannot stand in the address"))
    if parts.scheme == "http" and not is_allowed_host(parts.hostname):
        raise ForbiddenAddress(
            gettext_noop("only https addresses are called (for your own hosts see OUTBOUND_ALLOWED_HOSTS)")
        )
    return parts


def is_allowed_host(host: str) -> bool:
    """Whether the operator named this host as one of the own network."""
    return host.lower() in {name.lower() for name in settings.OUTBOUND_ALLOWED_HOSTS}


def public_addresses(host: str, port: int) -> list[tuple[int, tuple[object, ...]]]:
    """Family and socket address of every address of the host. Raises ForbiddenAddress, OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    if not is_allowed_host(host):
        for *_rest, place in found:
            address = ipaddress.ip_address(str(place[0]).partition("%")[0])
            if not all(one.is_global and not one.is_multicast for one in (address, *_wrapped(address))):
                raise ForbiddenAddress(
                    gettext_noop(
                        "the name leads into a network that is not public (see OUTBOUND_ALLOWED_HOSTS)"
                    )
                )
    return [(family, place) for family, _type, _proto, _name, place in found]


def _wrapped(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> list[ipaddress.IPv4Address]:
    """IPv4 addresses that stand inside of an IPv6 one and that a gateway may lead to."""
    if isinstance(address, ipaddress.IPv4Address):
        return []
    found = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    # NAT64 (RFC 6052) and the old compatible form (RFC 4291).
    if any(address in network for network in _V4_AT_THE_END):
        found.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return [one for one in found if one is not None]


_V4_AT_THE_END = [ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("::/96")]


class Line(http.client.HTTPConnection):
    """A connection to a checked address, with TLS for https. `connect` raises ForbiddenAddress, OSError."""

    def __init__(self, parts: SplitResult, *, timeout: float) -> None:
        secure = parts.scheme == "https"
        super().__init__(str(parts.hostname), parts.port or (443 if secure else 80), timeout=timeout)
        self._secure = secure
        self._asked: tuple[str, int] = ("", 0)
        self.used = 0

    def putrequest(self, method: str, *args: Any, **kwargs: Any) -> None:
        self._asked = (method, time.time_ns())
        super().putrequest(method, *args, **kwargs)

    def getresponse(self) -> http.client.HTTPResponse:
        """A span, where traces are on, from the first byte out to the head of the answer."""
        method, started_ns = self._asked
        about: dict[str, str | int] = {
            "http.request.method": method, "server.address": self.host, "server.port": self.port,
        }  # fmt: skip
        with tracing.span(method, about, kind="CLIENT", started_ns=started_ns):
            answer = super().getresponse()
            tracing.note({"http.response.status_code": answer.status}, failed=answer.status >= 400)
        return answer

    def connect(self) -> None:
        trouble: OSError | None = None
        for family, place in public_addresses(self.host, self.port)[:MAX_TRIED]:
            sock = socket.socket(family, socket.SOCK_STREAM)
            try:
                sock.settimeout(self.timeout)
                sock.connect(place)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.sock = _tls().wrap_socket(sock, server_hostname=self.host) if self._secure else sock
                return
            except OSError as error:
                sock.close()
                trouble = error
        raise trouble or ConnectionError("the name has no address")


@cache
def _tls() -> ssl.SSLContext:
    found = ssl.create_default_context()
    if settings.OUTBOUND_CA_FILE:
        found.load_verify_locations(settings.OUTBOUND_CA_FILE)
    return found
