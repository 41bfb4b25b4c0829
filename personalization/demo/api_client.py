"""The product's public HTTP API, used by the demos as any program would use it."""

import base64
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from personalization.access.services import create_key, revoke_key

TIMEOUT_SECONDS = 120


class ApiError(Exception):
    """The API does not answer, or did not take a call."""


@dataclass(frozen=True)
class Api:
    url: str
    key: str

    def call(
        self, path: str, body: dict[str, Any] | None = None, *, method: str | None = None
    ) -> dict[str, Any]:
        """POST with a body, else GET, unless `method` says otherwise. Raises ApiError."""
        secret = base64.b64encode(f"{self.key}:".encode()).decode()
        request = Request(  # noqa: S310 (the address is the user's own)
            f"{self.url.rstrip('/')}{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Basic {secret}", "Content-Type": "application/json"},
            method=method,
        )
        try:
            with urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
                found: dict[str, Any] = json.load(answer)
                return found
        except HTTPError as error:
            text = error.read().decode(errors="replace")[:500]
            raise ApiError(f"{path} answered {error.code}: {text}") from error
        except (OSError, HTTPException, ValueError) as error:
            raise ApiError(f"{self.url} does not answer ({error}). Start the product: bin/run") from error


@contextmanager
def api_access(url: str, token: str, *, name: str, scopes: Sequence[str]) -> Iterator[Api]:
    """With the given key; without one a key is made for the run and revoked after it."""
    if token:
        yield Api(url, token)
        return
    key, made = create_key(name=name, scopes=scopes)
    try:
        yield Api(url, made)
    finally:
        revoke_key(key, actor=name)
