"""Whose key may ask what to show. A key that was good a second ago is not asked for again."""

import time
from hashlib import sha256
from typing import NamedTuple

from campaigns.onsite.errors import LacksScope, NotAllowed
from experiments.traffic import client_keys
from personalization.access.authentication import authenticate_key
from personalization.access.models import Scope
from personalization.access.permissions import lacking

SECONDS = 1.0
MAX_KEYS = 1_000


class Admitted(NamedTuple):
    """`is_public`: a client key, which everybody can read. `is_test`: nothing that it asks is kept."""

    is_public: bool
    is_test: bool = False


# By the key's hash: when it was good (monotonic), and what it is.
_good: dict[bytes, tuple[float, Admitted]] = {}


def admit(token: str | None) -> Admitted:
    """What kind of key asks. One that was revoked opens for SECONDS more. Raises NotAllowed, LacksScope."""
    if not token:
        raise NotAllowed
    name, now = sha256(token.encode(errors="replace")).digest(), time.monotonic()
    good_at, admitted = _good.get(name, (float("-inf"), Admitted(False)))
    if now - good_at <= SECONDS:
        return admitted
    admitted = _ask(token)
    if len(_good) >= MAX_KEYS:
        _good.clear()
    _good[name] = now, admitted
    return admitted


def forget() -> None:
    _good.clear()


def _ask(token: str) -> Admitted:
    if token.startswith(client_keys.MARK):
        if client_keys.is_live(token):
            return Admitted(is_public=True)
        raise NotAllowed
    key = authenticate_key(token)
    if key is None:
        raise NotAllowed
    if Scope.DECIDE not in key.scopes:
        raise LacksScope(lacking(Scope.DECIDE))
    return Admitted(is_public=False, is_test=key.is_test)
