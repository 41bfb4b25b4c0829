"""Secrets at rest: text that the database, its dumps and its replicas hold only encrypted.

Keys come from `DATA_KEYS`: the first one encrypts, all of them decrypt, so a new key is put in front and the
old ones go once `manage.py rotate_keys` has run. Each purpose has a key of its own (HKDF, RFC 5869):
what was encrypted for one purpose cannot be passed off as another. Fernet is AES-128-CBC with HMAC-SHA256.
"""

import base64
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


class Undecipherable(Exception):
    """Encrypted with a key that is no longer in DATA_KEYS, or for another purpose, or changed since."""


def encrypt(text: str, *, purpose: str) -> str:
    """A Fernet token: ASCII, about 4/3 of the length plus 100 characters, another one each time."""
    return _box(purpose).encrypt(text.encode()).decode()


def decrypt(token: str, *, purpose: str) -> str:
    """Raises Undecipherable; the text of that error never holds anything of the secret."""
    try:
        return _box(purpose).decrypt(token.encode()).decode()
    except InvalidToken:
        raise Undecipherable(f"cannot decrypt: is the key for {purpose!r} still in DATA_KEYS?") from None


def rotate(token: str, *, purpose: str) -> str:
    """The same text under the first key. Raises Undecipherable."""
    return encrypt(decrypt(token, purpose=purpose), purpose=purpose)


def derive_key(secret: str, *, purpose: str) -> bytes:
    """32 bytes for one purpose."""
    hkdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"bespoke: " + purpose.encode())
    return hkdf.derive(secret.encode())


def _box(purpose: str) -> MultiFernet:
    return _boxes(purpose, tuple(settings.DATA_KEYS))


@lru_cache(maxsize=64)
def _boxes(purpose: str, secrets: tuple[str, ...]) -> MultiFernet:
    keys = [derive_key(secret, purpose=purpose) for secret in secrets]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in keys])
