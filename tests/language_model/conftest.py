"""A server that speaks the chat-completions protocol over a socket, and misbehaves on demand."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from personalization.language_model.models import Endpoint


def completion(content: Any, **changes: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": content, **changes.pop("message", {})}
    choice = {"index": 0, "message": message, "finish_reason": "stop", **changes.pop("choice", {})}
    return {
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice],
        "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}, **changes,
    }  # fmt: skip


@dataclass
class ModelServer:
    """`answer`: what is answered as JSON, bytes or a function of the handler. `asked`: every body."""

    port: int = 0
    answer: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        model: ModelServer = self.server.model  # type: ignore[attr-defined]
        model.paths.append(self.path)
        model.keys.append(self.headers.get("Authorization"))
        model.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        if callable(model.answer):
            model.answer(self)
            return
        body = model.answer if isinstance(model.answer, bytes) else json.dumps(model.answer).encode()
        self.send_response(model.status)
        for name, value in {"Content-Type": "application/json", **model.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with suppress(OSError):  # hung up on, as it should be
            self.wfile.write(body)

    def log_message(self, *_args: Any) -> None: ...


@pytest.fixture
def model_server(settings: Any) -> Iterator[ModelServer]:
    settings.OUTBOUND_ALLOWED_HOSTS = ["127.0.0.1"]
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    model = ModelServer(port=server.server_address[1])
    server.model = model  # type: ignore[attr-defined]
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield model
    server.shutdown()
    server.server_close()


@pytest.fixture
def endpoint(model_server: ModelServer) -> Endpoint:
    return Endpoint(
        is_active=True, url=model_server.url, model="m", key="sk-test-key", price_in=3, price_out=15,
        monthly_cap=1, timeout_seconds=5,
    )  # fmt: skip


def drip(*, before: bytes = b"", every: float = 0.02) -> Callable[[Handler], None]:
    """Bytes one by one, for as long as somebody listens."""

    def write(handler: Handler) -> None:
        try:
            handler.wfile.write(before)
            while True:
                handler.wfile.write(b"x")
                handler.wfile.flush()
                time.sleep(every)
        except OSError:
            return

    return write
