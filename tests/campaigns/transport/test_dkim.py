"""Our DKIM signatures, verified by dkimpy against a key published in a DNS of the test's own."""

import email.policy
from datetime import UTC, datetime

import dkim
import pytest
from dkim.canonicalization import Relaxed
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.transport import mime
from campaigns.transport.dkim import Signer, new_key, relaxed_body, signer

RSA = signer("shop.example", "s1", new_key())


def signed(key: Signer, *, subject: str = "Hi", text: str = "Hello", html: str = "<p>Hello</p>") -> bytes:
    """As it arrives: the server has taken the stuffing away again."""
    data = mime.message(
        mime.skeleton(
            sender_name="李 Shop", sender_address="a@shop.example", list_id="x", feedback_id="f", seed="s"
        ),
        to_name="Zoë", to_address="b@example.com", subject=subject, text=text, html=html, message_id="0" * 32,
        unsubscribe_url="https://shop.example/u", at=datetime(2026, 1, 1, tzinfo=UTC),
        sign=lambda whole: key.sign(whole, at=1767225600),
    )  # fmt: skip
    lines = data.split(b"\r\n")
    return b"\r\n".join(line[1:] if line.startswith(b".") else line for line in lines)


def verify(message: bytes, key: Signer) -> bool:
    def dns(name: bytes, timeout: int = 5) -> bytes | None:
        return key.record.encode() if name == b"s1._domainkey.shop.example." else None

    return dkim.verify(message, dnsfunc=dns)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=80), st.text(max_size=300), st.text(max_size=300))
def test_every_message_verifies(subject: str, text: str, html: str) -> None:
    assert verify(signed(RSA, subject=subject, text=text, html=html), RSA)


@pytest.mark.parametrize(
    ("old", "new"),
    [(b"Subject: Hi", b"Subject: Ho"), (b"Hello", b"Hallo"), (b"/u>", b"/v>"),
     (b"From:", b"From: x@evil.example\r\nFrom:")],
)  # fmt: skip
def test_a_changed_message_does_not(old: bytes, new: bytes) -> None:
    assert not verify(signed(RSA).replace(old, new, 1), RSA)


def test_the_signature_stands_first_and_harms_no_header() -> None:
    message = email.message_from_bytes(signed(RSA, subject="李雷"), policy=email.policy.default)
    assert message.keys()[0] == "DKIM-Signature" and message["Subject"] == "李雷" and not message.defects


@pytest.mark.parametrize(
    ("body", "canonical"),
    # RFC 6376 3.4.4 and its example in 3.4.5.
    [(b"", b""), (b"\r\n\r\n", b""), (b" C \r\nD \t E\r\n\r\n\r\n", b" C\r\nD E\r\n"), (b"x", b"x\r\n")],
)
def test_bodies_are_made_canonical_as_the_rfc_shows(body: bytes, canonical: bytes) -> None:
    assert relaxed_body(body) == canonical


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from([b" ", b"\t", b"\r\n", b"a", b"--b", b"\xc3\xa9"])).map(b"".join))
def test_any_body_is_made_canonical_as_dkimpy_does(body: bytes) -> None:
    assert relaxed_body(body) == Relaxed.canonicalize_body(body + b"\r\n")


@pytest.mark.parametrize(
    "pem", ["", "nonsense", "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----"]
)
def test_what_is_no_key_is_refused(pem: str) -> None:
    with pytest.raises(ValueError, match="PEM"):
        signer("shop.example", "s1", pem)
