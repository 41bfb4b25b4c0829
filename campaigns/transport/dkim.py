"""DKIM signatures (RFC 6376, relaxed/relaxed, rsa-sha256), for when no relay signs.

The body is hashed once per message and the key is read once; the signature is by OpenSSL. The library dkimpy
does its RSA in Python, some ten times slower; it verifies ours in the tests.
"""

import base64
import re
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

# What a reader or a mail program goes by. List-Unsubscribe is asked for by RFC 8058.
SIGNED = (
    b"from", b"to", b"subject", b"date", b"message-id", b"list-id", b"list-unsubscribe",
    b"list-unsubscribe-post", b"feedback-id", b"mime-version", b"content-type",
)  # fmt: skip
BLANKS = re.compile(rb"[ \t]+")
FOLDS = re.compile(rb"\r\n(?=[ \t])")
DOMAIN = re.compile(r"[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})+")


@dataclass(frozen=True)
class Signer:
    """`selector._domainkey.domain` is where the world finds the public key."""

    domain: str
    selector: str
    key: rsa.RSAPrivateKey

    def sign(self, message: bytes, *, at: int) -> bytes:
        """The DKIM-Signature header, ending with CRLF, for a message with CRLF lines, not dot-stuffed."""
        head, _, body = message.partition(b"\r\n\r\n")
        fields = _fields(head)
        # From is named once more than it stands there: nobody can add a second one unseen (RFC 6376 8.15).
        names = [name for name in SIGNED if name in fields] + [b"from"]
        body_hash = base64.b64encode(sha256(relaxed_body(body)).digest()).decode()
        value = (
            f"v=1; a=rsa-sha256; c=relaxed/relaxed; d={self.domain}; s={self.selector}; t={at};\r\n"
            f" h={b':'.join(names).decode()};\r\n bh={body_hash};\r\n b="
        ).encode()
        signed = b"".join(_relaxed(name, fields[name]) + b"\r\n" for name in names[:-1])
        signed += _relaxed(b"dkim-signature", value)
        return b"DKIM-Signature: " + value + _folded(self._signature(signed)) + b"\r\n"

    def _signature(self, data: bytes) -> bytes:
        return self.key.sign(data, padding.PKCS1v15(), SHA256())

    @property
    def record(self) -> str:
        """The TXT record of the public key."""
        public = self.key.public_key()
        data = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return f"v=DKIM1; k=rsa; p={base64.b64encode(data).decode()}"


@lru_cache(maxsize=32)
def signer(domain: str, selector: str, pem: str) -> Signer:
    """Raises ValueError for a key or a name that cannot sign."""
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError) as error:
        raise ValueError("the key is no unencrypted PEM") from error
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("the key is not RSA")
    if key.key_size < 1024:
        raise ValueError("the RSA key has fewer than 1,024 bits")
    if not DOMAIN.fullmatch(domain) or not re.fullmatch(r"[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*", selector):
        raise ValueError("the domain or the selector is not valid")
    return Signer(domain, selector, key)


def new_key() -> str:
    """An RSA key of 2,048 bits, as PEM: every receiver verifies these; Ed25519 many do not."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def relaxed_body(body: bytes) -> bytes:
    """RFC 6376 3.4.4."""
    if b" " in body or b"\t" in body:
        body = body.replace(b"\t", b" ")
        if b"  " in body:
            # Words joined by one blank: a fourth of what replacing costs.
            first = b" " if body.startswith(b" ") else b""
            body = first + b" ".join(filter(None, body.split(b" ")))
        body = body.replace(b" \r\n", b"\r\n")
        if body.endswith(b" "):
            body = body[:-1]
    body = body.rstrip(b"\r\n")
    return body + b"\r\n" if body else b""


def _fields(head: bytes) -> dict[bytes, bytes]:
    fields = {}
    for line in FOLDS.sub(b"", head).split(b"\r\n"):
        name, _, value = line.partition(b":")
        fields[name.strip().lower()] = value
    return fields


def _relaxed(name: bytes, value: bytes) -> bytes:
    """RFC 6376 3.4.2."""
    return name + b":" + BLANKS.sub(b" ", FOLDS.sub(b"", value)).strip()


def _folded(signature: bytes) -> bytes:
    text = base64.b64encode(signature)
    return b"\r\n ".join(text[i : i + 72] for i in range(0, len(text), 72))
