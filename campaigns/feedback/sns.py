"""Signatures of Amazon SNS, which tells what became of mails through Amazon SES.

Source: Amazon SNS Developer Guide, "Verifying the signatures of Amazon SNS messages". The certificate is
fetched by TLS from SNS itself and from nowhere else; that makes it Amazon's.
"""

import base64
import binascii
import http.client
import json
import re
from functools import lru_cache
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from personalization.access.outbound import ForbiddenAddress, Line

TIMEOUT_SECONDS = 10
MAX_BYTES = 20_000
PLACE = re.compile(
    r"https://sns\.[a-z0-9-]{3,40}\.amazonaws\.com(\.cn)?/SimpleNotificationService-[A-Za-z0-9]{10,80}\.pem"
)
ALGORITHMS: dict[str, type[hashes.HashAlgorithm]] = {"1": hashes.SHA1, "2": hashes.SHA256}
SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": (
        "Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type",
    ),
}  # fmt: skip
SIGNED["UnsubscribeConfirmation"] = SIGNED["SubscriptionConfirmation"]


class NotSigned(Exception):
    """The call is not Amazon's, or was changed on its way."""


class CannotCheck(Exception):
    """Amazon's certificate cannot be had now; the call may be repeated."""


def check_signature(body: bytes) -> None:
    """Raises NotSigned, CannotCheck, ValueError for what is no JSON."""
    call = json.loads(body)
    if not isinstance(call, dict):
        raise NotSigned("not a call of SNS")
    place, names = str(call.get("SigningCertURL", "")), SIGNED.get(str(call.get("Type")))
    algorithm = ALGORITHMS.get(str(call.get("SignatureVersion")))
    if names is None or algorithm is None or not PLACE.fullmatch(place):
        raise NotSigned("no signature of SNS")
    text = "".join(f"{name}\n{call[name]}\n" for name in names if call.get(name) is not None)
    try:
        signature = base64.b64decode(str(call.get("Signature", "")), validate=True)
        _key(place).verify(signature, text.encode(), padding.PKCS1v15(), algorithm())
    except (InvalidSignature, binascii.Error) as error:
        raise NotSigned("the signature of SNS does not fit") from error


@lru_cache(maxsize=16)
def _key(place: str) -> rsa.RSAPublicKey:
    """Amazon changes certificates about once a year, and their addresses with them."""
    try:
        key = x509.load_pem_x509_certificate(_fetch(place)).public_key()
    except ValueError as error:
        raise NotSigned("the certificate of SNS cannot be read") from error
    if not isinstance(key, rsa.RSAPublicKey):
        raise NotSigned("the certificate of SNS has no RSA key")
    return key


def _fetch(place: str) -> bytes:
    parts = urlsplit(place)
    line = Line(parts, timeout=TIMEOUT_SECONDS)
    try:
        line.request("GET", parts.path)
        answer = line.getresponse()
        found = answer.read(MAX_BYTES)
    except (OSError, http.client.HTTPException, ForbiddenAddress) as error:
        raise CannotCheck(f"the certificate of SNS cannot be had: {type(error).__name__}") from error
    finally:
        line.close()
    if answer.status != 200:
        raise CannotCheck(f"the certificate of SNS cannot be had: HTTP {answer.status}")
    return found
