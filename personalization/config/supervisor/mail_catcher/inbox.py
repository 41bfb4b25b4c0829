"""The web side: pages for people, and JSON for programs.

`GET /messages.json?after=N&limit=500&raw=1` answers the messages after number N, oldest first:
`{"accepted": 812, "kept": 812, "messages": [{"number", "sender", "recipients", "subject", "message_id",
"received_at", "size", "raw_url", "raw"}]}`; `raw` (only with raw=1) is the whole message as text.
`GET /messages/N/raw` answers the bytes as they came.
"""

import json
import re
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from personalization.config.supervisor.mail_catcher.pages import Pages
from personalization.config.supervisor.mail_catcher.store import CaughtMessage, Store

PAGE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; form-action 'self'; base-uri 'none'"
)
# A message may load its pictures and open its links in a new window; it may run nothing.
MESSAGE_POLICY = (
    "default-src 'none'; img-src http: https: data:; style-src 'unsafe-inline'; base-uri 'none'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)
MESSAGE_PATH = re.compile(r"^/messages/(\d{1,12})(/raw|/html)?$", re.ASCII)
LARGEST_LIMIT = 1000


class InboxServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, store: Store, *, port: int, host: str = "127.0.0.1") -> None:
        self.store = store
        super().__init__((host, port), InboxHandler)


class InboxHandler(BaseHTTPRequestHandler):
    server: InboxServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        # Another site whose name leads to this machine must not read the mail.
        if (self.headers.get("Host") or "").rsplit(":", 1)[0] not in ("127.0.0.1", "localhost", "[::1]"):
            self._answer(HTTPStatus.MISDIRECTED_REQUEST, b"", "text/plain")
            return
        address = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(address.query).items()}
        if address.path == "/":
            self._show_inbox(query.get("to", ""))
        elif address.path == "/messages.json":
            self._list(query)
        elif match := MESSAGE_PATH.match(address.path):
            self._show_message(int(match[1]), match[2] or "")
        else:
            self._page(self._pages().missing(), HTTPStatus.NOT_FOUND)

    def _pages(self) -> Pages:
        return Pages(self.headers.get("Accept-Language") or "")

    def _show_inbox(self, recipient: str) -> None:
        store = self.server.store
        found = store.newest(recipient=recipient)
        self._page(self._pages().inbox(found, recipient=recipient, accepted=store.accepted, kept=store.kept))

    def _show_message(self, number: int, part: str) -> None:
        message = self.server.store.get(number)
        if message is None:
            self._page(self._pages().missing(), HTTPStatus.NOT_FOUND)
        elif part == "/raw":
            self._answer(HTTPStatus.OK, message.raw, "text/plain; charset=utf-8")
        elif part == "/html":
            body = '<base target="_blank">' + (message.body("html") or "")
            self._answer(
                HTTPStatus.OK, body.encode(errors="replace"), "text/html; charset=utf-8", MESSAGE_POLICY
            )
        else:
            self._page(self._pages().message(message))

    def _list(self, query: dict[str, str]) -> None:
        try:
            after = int(query.get("after", "0"))
            limit = min(int(query.get("limit", "500")), LARGEST_LIMIT)
        except ValueError:
            self._answer(
                HTTPStatus.BAD_REQUEST, b'{"detail": "after and limit are numbers"}', "application/json"
            )
            return
        store = self.server.store
        found = store.after(after, limit=max(limit, 0))
        rows = [_row(message, with_raw=query.get("raw") == "1") for message in found]
        answer = {"accepted": store.accepted, "kept": store.kept, "messages": rows}
        self._answer(HTTPStatus.OK, json.dumps(answer).encode(), "application/json")

    def _page(self, html: str, status: HTTPStatus = HTTPStatus.OK) -> None:
        self._answer(status, html.encode(errors="replace"), "text/html; charset=utf-8", PAGE_POLICY)

    def _answer(self, status: HTTPStatus, body: bytes, kind: str, policy: str = "default-src 'none'") -> None:
        self.send_response(status)
        for name, value in (
            ("Content-Type", kind),
            ("Content-Length", str(len(body))),
            ("Content-Security-Policy", policy),
            ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", "no-referrer"),
            ("Cache-Control", "no-store"),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Requests name recipients: not logged."""


def open_links_outside(html: str) -> str:
    """The same page, its links opening a new window: inside the sandboxed frame nothing would load."""
    head = re.search(r"<head[^>]*>", html, re.IGNORECASE)
    place = head.end() if head else 0
    return html[:place] + '<base target="_blank">' + html[place:]


def _row(message: CaughtMessage, *, with_raw: bool) -> dict[str, object]:
    row: dict[str, object] = {
        "number": message.number,
        "sender": message.sender,
        "recipients": list(message.recipients),
        "subject": message.header("Subject"),
        "message_id": message.header("Message-ID"),
        "received_at": message.received_at.isoformat(),
        "size": len(message.raw),
        "raw_url": f"/messages/{message.number}/raw",
    }
    if with_raw:
        row["raw"] = message.raw.decode("utf-8", "replace")
    return row
