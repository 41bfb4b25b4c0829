"""A server that reads a call and says yes: what sockets and HTTP alone cost."""

from collections.abc import Callable, Iterable
from typing import Any

ANSWER = b'{"success": true}'


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(ANSWER)))])
    return [ANSWER]
