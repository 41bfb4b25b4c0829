"""Services that speak each provider's own protocol over a socket, count what they took, and misbehave.

By hand, to try a channel without an account (docs/channels.md), and see what is taken:
`python -m tests.campaigns.channels.doubles sms --port 8210`
"""

import argparse
import base64
import json
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import http_ece
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from py_vapid import Vapid02
from standardwebhooks import Webhook

Taken = tuple[str, str]  # to whom, and what they read


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Service:
    """`fault(path, number)`: a status to answer with, "drop" (line cut after the request), "hang" or ""."""

    channel: str
    port: int = 0
    taken: list[Taken] = field(default_factory=list)
    requests: int = 0
    cut: int = 0
    fault: Callable[[str, int], Any] = lambda path, number: ""
    headers: dict[str, str] = field(default_factory=dict)
    keys: dict[str, Any] = field(default_factory=dict)
    closing: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def serve(self, listener: socket.socket) -> None:
        while not self.closing.is_set():
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(client,), daemon=True).start()

    def _talk(self, client: socket.socket) -> None:
        client.settimeout(20)
        file = client.makefile("rb")
        try:
            while self._one(client, file):
                pass
        except OSError:
            pass
        finally:
            file.close()
            client.close()

    def _one(self, client: socket.socket, file: Any) -> bool:
        first = file.readline().decode()
        if not first:
            return False
        _verb, path, _version = first.split()
        headers = {}
        while (line := file.readline().decode().strip()) != "":
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        body = file.read(int(headers.get("content-length", 0)))
        if len(body) < int(headers.get("content-length", 0)):
            self.cut += 1
            return False
        if path == "/token":
            self._reply(client, 200, self._token(body))
            return True
        self.requests += 1
        fault = self.fault(path, self.requests)
        if isinstance(fault, int):
            self._reply(client, fault, getattr(self, "fault_body", {}), self.headers)
            return True
        answer = getattr(self, f"take_{self.channel}")(path, headers, body)
        if fault == "drop":
            return False
        if fault == "hang":
            self.closing.wait(5)
            return False
        self._reply(client, *answer)
        return True

    def _reply(
        self, client: socket.socket, status: int, body: Any, headers: dict[str, str] | None = None
    ) -> None:
        data, lines = json.dumps(body).encode(), [f"HTTP/1.1 {status} X"]
        lines += [
            f"{name}: {value}" for name, value in {"Content-Length": len(data), **(headers or {})}.items()
        ]
        client.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + data)

    # --- Each provider's own protocol ------------------------------------------------------------------
    def take_sms(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, Any]:
        assert path == "/2010-04-01/Accounts/AC123456/Messages.json"
        if headers["authorization"] != "Basic " + base64.b64encode(b"AC123456:sms-token").decode():
            return 401, {"code": 20003}
        form = parse_qs(body.decode())
        self.taken.append((form["To"][0], form["Body"][0]))
        return 201, {"sid": "SM1", "status": "queued"}

    def take_whatsapp(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, Any]:
        assert path == "/123456/messages" and headers["authorization"] == "Bearer wa-token"
        data = json.loads(body)
        assert data["messaging_product"] == "whatsapp" and data["type"] == "template"
        values = [one["text"] for one in data["template"]["components"][0]["parameters"]]
        self.taken.append(("+" + data["to"], f"{data['template']['name']}: {', '.join(values)}"))
        return 200, {"messages": [{"id": "wamid.1"}]}

    def take_webhook(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, Any]:
        data = Webhook(self.keys["secret"]).verify(body, headers)
        known = self.keys.setdefault("ids", set())
        if headers["webhook-id"] not in known:
            known.add(headers["webhook-id"])
            self.taken.append((data["data"]["customer"], data["data"]["values"]["hello"]))
            self.keys["mark"] = str(data["data"]["is_test"])
        return 204, {}

    def take_webpush(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, Any]:
        assert headers["ttl"] == "86400" and headers["content-encoding"] == "aes128gcm"
        assert Vapid02.verify(headers["authorization"])
        claims = json.loads(unb64(headers["authorization"].split("t=")[1].split(",")[0].split(".")[1]))
        assert claims["aud"] == self.url and claims["sub"] == "mailto:me@shop.example"
        key, auth = self.keys[path]
        shown = json.loads(http_ece.decrypt(body, private_key=key, auth_secret=auth, version="aes128gcm"))
        known = self.keys.setdefault("tags", set())
        if (path, shown["tag"]) not in known:
            known.add((path, shown["tag"]))
            self.taken.append((path, shown["body"]))
            self.keys["mark"] = shown["title"]
        return 201, {}

    def take_mobilepush(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, Any]:
        assert path == "/v1/projects/shop/messages:send" and headers["authorization"] == "Bearer fcm-token"
        message = json.loads(body)["message"]
        known = self.keys.setdefault("tags", set())
        if (message["token"], message["android"]["collapse_key"]) not in known:
            known.add((message["token"], message["android"]["collapse_key"]))
            self.taken.append((message["token"], message["notification"]["body"]))
            self.keys["mark"] = message["notification"]["title"]
        return 200, {"name": "projects/shop/messages/1"}

    def _token(self, body: bytes) -> Any:
        """RFC 7523: the assertion must be signed by the service account's key."""
        form = parse_qs(body.decode())
        signed, _, signature = form["assertion"][0].rpartition(".")
        self.keys["public"].verify(unb64(signature), signed.encode(), PKCS1v15(), SHA256())
        claims = json.loads(unb64(signed.split(".")[1]))
        assert claims["aud"] == f"{self.url}/token" and claims["exp"] - claims["iat"] == 3600
        return {"access_token": "fcm-token", "expires_in": 3599}


BY_HAND = ("sms", "whatsapp")  # the others need keys that the test has made


def main() -> None:
    parser = argparse.ArgumentParser(description="A provider's double: takes every message and prints it.")
    parser.add_argument("channel", choices=BY_HAND)
    parser.add_argument("--port", type=int, required=True)
    given = parser.parse_args()
    service = Service(given.channel, port=given.port, taken=_Printed())
    service.serve(socket.create_server(("127.0.0.1", given.port), backlog=64))


class _Printed(list[Taken]):
    def append(self, taken: Taken) -> None:
        super().append(taken)
        print(*taken, sep="\t", flush=True)  # noqa: T201 - a program to be watched


if __name__ == "__main__":
    main()
