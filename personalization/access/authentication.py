"""API keys: as Bearer token, or as the user name of Basic authentication (the Segment clients' way)."""

import base64
import binascii
import hmac
import time
from hashlib import sha256

from django.db import DEFAULT_DB_ALIAS, connection
from django.http import HttpRequest
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed

from personalization.access.models import TEST_MARK, ApiKey
from personalization.access.services import KEY_MARK, hash_secret, touch_key

MAX_REMEMBERED = 1_000
# Stands in every answer to a test key.
TEST_HEADER = "Bespoke-Test"
# By the hash of the whole token: when it was good (monotonic), and the key.
_remembered: dict[bytes, tuple[float, ApiKey]] = {}


def authenticate_key(token: str, *, max_age: float = 0.0) -> ApiKey | None:
    """The live key of this token; None when it is malformed, unknown, expired or revoked.

    With `max_age`, a key that was good so many seconds ago is not asked for again: one that was revoked opens
    for as long.
    """
    if not max_age:
        return _ask(token)
    name, now = sha256(token.encode(errors="replace")).digest(), time.monotonic()
    good_at, key = _remembered.get(name, (float("-inf"), None))
    if key is not None and now - good_at <= max_age and not _is_over(key):
        return key
    key = _ask(token)
    if key is not None:
        if len(_remembered) >= MAX_REMEMBERED:
            _remembered.clear()
        _remembered[name] = now, key
    return key


def _is_over(key: ApiKey) -> bool:
    return key.expires_at is not None and key.expires_at <= timezone.now()


def _ask(token: str) -> ApiKey | None:
    start, _, rest = token.partition("_")
    mark = TEST_MARK if rest.startswith(TEST_MARK) else ""
    prefix, _, secret = rest.removeprefix(mark).partition("_")
    if start != KEY_MARK or not prefix or not secret or len(token) > 200 or "\0" in token:
        return None
    key = _live_key(mark + prefix)
    if key is None or not hmac.compare_digest(bytes(key.secret_hash), hash_secret(token)):
        return None
    if _is_over(key):
        return None
    touch_key(key, now=timezone.now())
    return key


def _live_key(prefix: str) -> ApiKey | None:
    """Without the query set's half of a millisecond: this stands before every call."""
    with connection.cursor() as cursor:
        cursor.execute(_LIVE_KEY, [prefix])
        row = cursor.fetchone()
    return ApiKey.from_db(DEFAULT_DB_ALIAS, _KEY_FIELDS, row) if row else None


_KEY_FIELDS = [field.attname for field in ApiKey._meta.concrete_fields]
_LIVE_KEY = (
    f"SELECT {', '.join(_KEY_FIELDS)} FROM {ApiKey._meta.db_table}"  # noqa: S608 - our own names
    " WHERE prefix = %s AND revoked_at IS NULL"
)


def token_of(request: HttpRequest) -> str | None:
    """The token in the Authorization header, None without one. Malformed Basic credentials give ''."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value.strip(), validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return None


def is_test_token(token: str | None) -> bool:
    """Whether it is a test key's, if it is anybody's."""
    return bool(token) and str(token).startswith(f"{KEY_MARK}_{TEST_MARK}")


class ProgramUser:
    """Stands in `request.user` for a program: authenticated, but no member of staff."""

    is_authenticated = True
    is_active = True
    is_staff = False
    is_anonymous = False
    pk = None

    def __init__(self, key: ApiKey) -> None:
        self.key = key

    def get_username(self) -> str:
        return f"key:{self.key.prefix}"

    def has_perm(self, perm: str, obj: object = None) -> bool:
        return False


class ApiKeyAuthentication(BaseAuthentication):
    def authenticate(self, request: HttpRequest) -> tuple[ProgramUser, ApiKey] | None:
        token = token_of(request)
        if token is None:
            return None
        key = authenticate_key(token)
        if key is None:
            raise AuthenticationFailed("The API key is unknown, expired or revoked.")
        return ProgramUser(key), key

    def authenticate_header(self, request: HttpRequest) -> str:
        return "Bearer"
