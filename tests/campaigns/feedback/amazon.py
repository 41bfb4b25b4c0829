"""Amazon SNS as tests have it: an authority, a signing certificate, and calls signed by hand."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

HOST = "sns.eu-west-1.amazonaws.com"
PLACE = f"https://{HOST}/SimpleNotificationService-0123456789abcdef.pem"


def certificate_of(name: str, key: Any, *, signed_by: tuple[x509.Certificate, Any] | None = None) -> Any:
    """Of an authority, unless another one signs it."""
    now, subject = datetime.now(UTC), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuer = signed_by[0].subject if signed_by else subject
    made = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=signed_by is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    )  # fmt: skip
    return made.sign(signed_by[1] if signed_by else key, hashes.SHA256())


AUTHORITY_KEY, KEY = rsa.generate_private_key(65537, 2048), rsa.generate_private_key(65537, 2048)
AUTHORITY = certificate_of("authority.example", AUTHORITY_KEY)
CERTIFICATE = certificate_of(HOST, KEY, signed_by=(AUTHORITY, AUTHORITY_KEY))
PEM = CERTIFICATE.public_bytes(serialization.Encoding.PEM)


def signed(call: dict[str, str], *, version: str = "1", key: Any = KEY, place: str = PLACE) -> dict[str, str]:
    """The call with its signature: names and values of the signed fields in the order of the alphabet."""
    left_out = {"Subject"} if call["Type"] != "Notification" else {"SubscribeURL", "Token"}
    text = "".join(f"{name}\n{call[name]}\n" for name in sorted(call) if name not in left_out)
    algorithm = hashes.SHA1() if version == "1" else hashes.SHA256()
    signature = base64.b64encode(key.sign(text.encode(), padding.PKCS1v15(), algorithm)).decode()
    return {**call, "SignatureVersion": version, "Signature": signature, "SigningCertURL": place}
