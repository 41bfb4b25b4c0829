"""Whose key may ask what to show. A key that was good a second ago is not asked for again."""

import time
from hashlib import sha256

from campaigns.onsite.errors import LacksScope, NotAllowed
from experiments.traffic import client_keys
from personalization.access.authentication import authenticate_key
from personalization.access.models import Scope

SECONDS = 1.0
MAX_KEYS = 1_000
# By the key's hash: when it was good (monotonic), and whether it is a public one.
_good: dict[bytes, tuple[float, bool]] = {}


def admit(token: str | None) -> bool:
    """Whether the key is a public one. One that was revoked opens for SECONDS more. Raises NotAllowed,
    LacksScope.
    """
    if not token:
        raise NotAllowed
    name, now = sha256(token.encode(errors="replace")).digest(), time.monotonic()
    good_at, is_public = _good.get(name, (float("-inf"), False))
    if now - good_at <= SECONDS:
        return is_public
    is_public = _ask(token)
    if len(_good) >= MAX_KEYS:
        _good.clear()
    _good[name] = now, is_public
    return is_public


def forget() -> None:
    _good.clear()


def _ask(token: str) -> bool:
    if token.startswith(client_keys.MARK):
        if client_keys.is_live(token):
            return True
        raise NotAllowed
    key = authenticate_key(token)
    if key is None:
        raise NotAllowed
    if Scope.DECIDE not in key.scopes:
        raise LacksScope(Scope.DECIDE.value)
    return False
