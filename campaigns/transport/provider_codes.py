"""What providers of e-mail say in their body about the account with a status that means something else."""

from typing import Any

from anymail.exceptions import AnymailError

# By the provider's name in django-anymail: where its code stands in the answer, and which are about the
# account (a wrong key, no money left, a sender that is not confirmed): then everybody waits, nobody fails.
CODES: dict[str, tuple[tuple[str, ...], frozenset[object]]] = {
    "Mandrill": (("name",), frozenset({"Invalid_Key", "PaymentRequired"})),  # told with 500
    "Postal": (
        ("data", "code"),
        frozenset({"InvalidServerAPIKey", "AccessDenied", "ServerSuspended", "UnauthenticatedFromAddress"}),
    ),  # told with 200
    "Postmark": (("ErrorCode",), frozenset({10, 400, 401, 405, 412, 413})),  # told with 422
}


def is_about_account(error: AnymailError) -> bool:
    """Whether the provider refused the account, not the message."""
    if error.status_code in (401, 402, 403):  # 402: nothing left of what was paid for
        return True
    path, codes = CODES.get(error.esp_name or "", ((), frozenset()))
    found = _body(error) if path else None
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return isinstance(found, (str, int)) and found in codes


def _body(error: AnymailError) -> Any:
    try:
        return error.response.json() if error.response is not None else None
    except ValueError:
        return None
