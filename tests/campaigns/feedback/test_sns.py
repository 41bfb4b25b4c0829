"""Calls of Amazon SNS: believed when Amazon signed them, with a certificate that came from Amazon by TLS."""

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from campaigns.feedback import sns
from campaigns.feedback.sns import CannotCheck, NotSigned, check_signature
from personalization.access import outbound
from tests.campaigns.feedback import amazon

CALL = {
    "Type": "Notification", "MessageId": "e1", "Message": '{"eventType": "Bounce"}', "Subject": "Told",
    "Timestamp": "2026-11-05T16:33:54.000Z", "TopicArn": "arn:aws:sns:eu-west-1:123456789012:shop",
}  # fmt: skip
ASKED = {
    **{name: value for name, value in CALL.items() if name != "Subject"},
    "Type": "SubscriptionConfirmation", "Token": "t0", "SubscribeURL": "https://sns.eu-west-1.amazonaws.com/?x",
}  # fmt: skip


@pytest.fixture
def serve(tmp_path: Path, settings: Any, monkeypatch: Any) -> Iterator[Callable[..., list[str]]]:
    """Starts what answers at the address of SNS; answers the list of what was asked of it."""
    listeners: list[socket.socket] = []

    def start(body: bytes = amazon.PEM, status: int = 200, *, is_trusted: bool = True) -> list[str]:
        authority, own = tmp_path / "authority.pem", tmp_path / "server.pem"
        authority.write_bytes(amazon.AUTHORITY.public_bytes(serialization.Encoding.PEM))
        form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        own.write_bytes(amazon.KEY.private_bytes(serialization.Encoding.PEM, *form) + amazon.PEM)
        settings.OUTBOUND_CA_FILE = str(authority) if is_trusted else ""
        outbound._tls.cache_clear()
        secure = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        secure.load_cert_chain(own)
        listener, asked = socket.create_server(("127.0.0.1", 0)), list[str]()
        listeners.append(listener)
        place = [(socket.AF_INET, listener.getsockname())]
        monkeypatch.setattr(outbound, "public_addresses", lambda host, port: place)

        def answer() -> None:
            while True:
                try:
                    client, _address = listener.accept()
                    with secure.wrap_socket(client, server_side=True) as talk:
                        asked.append(talk.recv(4096).decode().split("\r\n")[0])
                        talk.sendall(
                            b"HTTP/1.1 %d x\r\nContent-Length: %d\r\n\r\n" % (status, len(body)) + body
                        )
                except ssl.SSLError:
                    continue
                except OSError:
                    return

        threading.Thread(target=answer, daemon=True).start()
        return asked

    sns._key.cache_clear()
    yield start
    for listener in listeners:
        listener.close()
    outbound._tls.cache_clear()
    sns._key.cache_clear()


def told(call: dict[str, str]) -> None:
    check_signature(json.dumps(call).encode())


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("call", [CALL, ASKED, {**ASKED, "Type": "UnsubscribeConfirmation"}])
def test_what_amazon_signed_is_believed_and_its_certificate_fetched_once(serve, call, version) -> None:
    asked = serve()
    told(amazon.signed(call, version=version))
    told(amazon.signed({**call, "MessageId": "e2"}, version=version))
    assert asked == ["GET /SimpleNotificationService-0123456789abcdef.pem HTTP/1.1"]


@pytest.mark.parametrize("name", sorted(CALL))
def test_what_was_changed_afterwards_is_not_believed(serve, name) -> None:
    serve()
    call = amazon.signed(CALL)
    with pytest.raises(NotSigned):
        told({**call, name: "SubscriptionConfirmation" if name == "Type" else call[name] + "x"})


@pytest.mark.parametrize(
    "place",
    [
        "http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem",
        "https://evil.example/SimpleNotificationService-0123456789abcdef.pem",
        "https://sns.eu-west-1.amazonaws.com.evil.example/SimpleNotificationService-0123456789abcdef.pem",
        "https://sns.evil.example/.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem",
        "https://sns.eu-west-1.amazonaws.com@evil.example/SimpleNotificationService-0123456789abcdef.pem",
        "https://bucket.s3.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem",
        f"{amazon.PLACE}\n",
        "",
    ],
)
def test_a_certificate_from_anywhere_else_is_not_even_fetched(serve, place) -> None:
    asked = serve()
    with pytest.raises(NotSigned):
        told(amazon.signed(CALL, place=place))
    assert asked == []


@pytest.mark.parametrize(
    "change", [{"Signature": "no base64!"}, {"SignatureVersion": "3"}, {"Signature": ""}]
)
def test_a_signature_that_is_none_is_refused(serve, change) -> None:
    serve()
    with pytest.raises(NotSigned):
        told({**amazon.signed(CALL), **change})
    with pytest.raises(NotSigned):
        told(amazon.signed(CALL, key=rsa.generate_private_key(65537, 2048)))


def test_a_server_that_is_not_amazons_gives_no_certificate(serve) -> None:
    asked = serve(is_trusted=False)
    with pytest.raises(CannotCheck):
        told(amazon.signed(CALL))
    assert asked == []


def test_a_certificate_that_cannot_be_had_now_is_asked_for_again(serve) -> None:
    serve(b"busy", 503)
    with pytest.raises(CannotCheck):
        told(amazon.signed(CALL))
    serve()
    told(amazon.signed(CALL))


def test_what_is_no_certificate_proves_nothing(serve) -> None:
    serve(b"<html>")
    with pytest.raises(NotSigned):
        told(amazon.signed(CALL))
