"""How the openai client reaches the network: only through the guard of outgoing calls, and with an end.

A call has one deadline over everything (headers and body, however slowly they drip) and a largest answer;
redirects are not followed, proxies of the environment not used, compressed answers not read (a small one may
unpack to gigabytes).
"""

import http.client
import socket
import threading
import time
from contextlib import suppress

import httpx2

from personalization.access.outbound import Line, check_url

CONNECT_SECONDS = 10.0
MAX_BYTES = 1_000_000
PIECE = 16_384
OURS = {"host", "connection", "accept-encoding", "content-length", "transfer-encoding"}


class TooMuch(Exception):
    """The answer is larger than MAX_BYTES, or packed."""


class GuardedTransport(httpx2.BaseTransport):
    def __init__(self, *, seconds: float) -> None:
        self._seconds = seconds

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Raises httpx2's own errors; their cause may be ForbiddenAddress or TooMuch."""
        ends_at = time.monotonic() + self._seconds
        line, late = None, threading.Event()
        try:
            line = Line(check_url(str(request.url)), timeout=min(self._seconds, CONNECT_SECONDS))
            line.connect()
            assert line.sock is not None
            line.sock.settimeout(self._seconds)
            # A socket's own patience begins anew with each byte: somebody else has to look at the clock.
            alarm = threading.Timer(max(ends_at - time.monotonic(), 0), _cut, (line.sock, late))
            alarm.daemon = True
            alarm.start()
            try:
                answer = _exchange(line, request)
            finally:
                alarm.cancel()
            if late.is_set():  # headers that were cut off look as if they had ended
                raise TimeoutError
            return answer
        except (OSError, http.client.HTTPException, ValueError, TooMuch) as error:
            if isinstance(error, TimeoutError) or late.is_set():
                raise httpx2.ReadTimeout("no whole answer in time", request=request) from error
            raise httpx2.ConnectError(type(error).__name__, request=request) from error
        finally:
            if line is not None:
                line.close()


def _cut(sock: socket.socket, late: threading.Event) -> None:
    late.set()
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


def _exchange(line: Line, request: httpx2.Request) -> httpx2.Response:
    target = request.url.raw_path.decode("ascii")
    headers = {name: value for name, value in request.headers.items() if name.lower() not in OURS}
    line.request(request.method, target, body=request.read(), headers={**headers, "Connection": "close"})
    answer = line.getresponse()
    if answer.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise TooMuch
    parts, size = [], 0
    while piece := answer.read1(PIECE):
        size += len(piece)
        if size > MAX_BYTES:
            raise TooMuch
        parts.append(piece)
    if answer.length:
        raise ConnectionError("the answer broke off")
    kind = {"Content-Type": answer.headers.get("Content-Type", "")}
    return httpx2.Response(answer.status, headers=kind, content=b"".join(parts), request=request)
