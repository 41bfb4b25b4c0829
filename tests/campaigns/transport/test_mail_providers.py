"""The contract of every provider of django-anymail: a double of each over a socket, by the provider's own
documents. Amazon SES, which boto3 calls, has tests of its own (channels/test_amazon_ses.py)."""

import base64
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import anymail.backends
import pytest

from campaigns.transport.mail_backend import BackendSession, Letter
from campaigns.transport.session import Answer, Outgoing
from tests.campaigns.channels.conftest import open_service

__all__ = ["open_service"]  # a fixture

TO, KEY, ID = "ann@example.com", "right-key", "4711"
# Status, body and headers.
Reply = tuple[int, Any, dict[str, str]]
JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Provider:
    """`options`: with the key `KEY`. `key_at`: where the provider finds it in headers and body.
    `number`: under which it took the message; None where anymail makes one."""

    path: str
    options: dict[str, str]
    taken: Reply
    refused: Reply
    wrong_key: Reply
    number: str | None = ID
    has_metadata: bool = True


def said(status: int, body: Any, **headers: str) -> Reply:
    return status, body, {**JSON, **{name.replace("_", "-"): value for name, value in headers.items()}}


SUPPRESSED = {
    "type": "ALL_SUPPRESSED",
    "warning": "x",
    "recipients": [{"email": TO, "reason": ["hard_bounced"]}],
}
INACTIVE = (
    "You tried to send to recipient(s) that have been marked as inactive. Found inactive addresses: "
    f"{TO}. Inactive recipients are ones that have generated a hard bounce."
)
ONE_OK = {"total_accepted_recipients": 1, "total_rejected_recipients": 0, "id": ID}
ONE_BAD = {"total_accepted_recipients": 0, "total_rejected_recipients": 1, "id": ID}
MAILJET = {"Status": "success", "To": [{"Email": TO, "MessageID": 4711, "MessageUUID": "u"}]}
MAILJETS_ERROR = {"Status": "error", "Errors": [{"ErrorCode": "mj-0013", "StatusCode": 400}]}
POSTAL = {"message_id": "x", "messages": {TO: {"id": 4711, "token": "t"}}}
HEADERS = {
    "List-Unsubscribe": "<https://shop.example/u>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
}  # fmt: skip
PROVIDERS = {
    "brevo": Provider(
        "/smtp/email", {"api_key": KEY}, said(201, {"messageId": ID}),
        said(400, {"code": "invalid_parameter", "message": "email is not valid in to"}),
        said(401, {"code": "unauthorized", "message": "Key not found"}),
    ),
    "mailersend": Provider(
        "/email", {"api_token": KEY}, said(202, {}, X_Message_Id=ID),
        said(202, {"message": "There are some warnings", "warnings": [SUPPRESSED]}),
        said(401, {"message": "Unauthenticated."}), has_metadata=False,
    ),
    "mailgun": Provider(
        "/shop.example/messages", {"api_key": KEY},
        said(200, {"id": f"<{ID}@shop.example>", "message": "Queued. Thank you."}),
        said(400, {"message": "to parameter is not a valid address. please check documentation"}),
        said(401, {"message": "Invalid private key"}), number=f"<{ID}@shop.example>",
    ),
    "mailjet": Provider(
        "/send", {"api_key": KEY, "secret_key": "s"},
        said(200, {"Messages": [MAILJET]}),
        said(200, {"Messages": [MAILJETS_ERROR]}),
        said(401, {"ErrorMessage": "API key authentication/authorization failure", "StatusCode": 401}),
    ),
    "mailtrap": Provider(
        "/send", {"api_token": KEY}, said(200, {"success": True, "message_ids": [ID]}),
        said(400, {"success": False, "errors": ["'to' address is invalid"]}),
        said(401, {"success": False, "errors": ["Unauthorized"]}),
    ),
    "mandrill": Provider(
        "/messages/send.json", {"api_key": KEY}, said(200, [{"email": TO, "status": "sent", "_id": ID}]),
        said(200, [{"email": TO, "status": "rejected", "_id": ID, "reject_reason": "hard-bounce"}]),
        said(500, {"status": "error", "code": -1, "name": "Invalid_Key", "message": "Invalid API key"}),
    ),
    "postal": Provider(
        "/api/v1/send/message", {"api_key": KEY},
        said(200, {"status": "success", "data": POSTAL}),
        said(200, {"status": "error", "data": {"code": "ValidationError", "message": "not valid"}}),
        said(200, {"status": "error", "data": {"code": "InvalidServerAPIKey", "message": "no such key"}}),
        has_metadata=False,
    ),
    "postmark": Provider(
        "/email", {"server_token": KEY},
        said(200, {"To": TO, "MessageID": ID, "ErrorCode": 0, "Message": "OK"}),
        said(422, {"ErrorCode": 406, "Message": INACTIVE}),
        said(401, {"ErrorCode": 10, "Message": "The Server Token is invalid"}),
    ),
    "resend": Provider(
        "/emails", {"api_key": KEY}, said(200, {"id": ID}),
        said(422, {"name": "validation_error", "message": "Invalid `to` field."}),
        said(401, {"name": "missing_api_key", "message": "Missing API key"}),
    ),
    "scaleway": Provider(
        "/emails", {"secret_key": KEY, "project_id": "p"},
        said(200, {"emails": [{"id": ID, "mail_rcpt": TO, "status": "new"}]}),
        said(400, {"type": "invalid_arguments", "message": "invalid recipient"}),
        said(401, {"type": "denied_authentication", "message": "authentication is denied"}),
    ),
    "sendgrid": Provider(
        "/mail/send", {"api_key": KEY}, said(202, ""),
        said(400, {"errors": [{"message": "Does not contain a valid address.", "field": "to"}]}),
        said(401, {"errors": [{"message": "The provided authorization grant is invalid"}]}), number=None,
    ),
    "sparkpost": Provider(
        "/transmissions/", {"api_key": KEY},
        said(200, {"results": ONE_OK}),
        said(200, {"results": ONE_BAD}),
        said(401, {"errors": [{"message": "Unauthorized."}]}),
    ),
    "unisender_go": Provider(
        "/email/send.json", {"api_key": KEY}, said(200, {"status": "success", "job_id": ID, "emails": [TO]}),
        said(200, {"status": "success", "emails": [], "failed_emails": {TO: "permanent_unavailable"}}),
        said(401, {"status": "error", "code": 102, "message": "User with id x not found"}), number=None,
    ),
}  # fmt: skip


@pytest.fixture(params=sorted(PROVIDERS))
def provider(request: Any) -> tuple[str, Provider]:
    return request.param, PROVIDERS[request.param]


@pytest.fixture
def send(
    provider: tuple[str, Provider], open_service: Any, settings: Any
) -> Callable[..., tuple[Answer, Any]]:
    """Hands one message to a double that answers so; the answer of ours, and the double."""
    settings.ANYMAIL = {"REQUESTS_TIMEOUT": 1}
    name, one = provider

    def run(reply: Reply, *, url: str = "") -> tuple[Answer, Any]:
        service = open_service("email")
        service.mails = []

        def take(path: str, headers: dict[str, str], body: bytes) -> Reply:
            service.mails.append((path, headers, body.decode()))
            return reply

        service.take_email = take
        options = {**one.options, "api_url": url or f"{service.url}/"}
        session = BackendSession(f"anymail.backends.{name}.EmailBackend", options)
        intents: list[int] = []
        letter = Letter(
            "Shop <shop@shop.example>", TO, "Sale", "text", "<p>html</p>",
            HEADERS,
            {"message_id": "n1"},
        )  # fmt: skip
        answer = session.send(Outgoing("shop@shop.example", TO, letter), intent=lambda: intents.append(1))
        assert intents == [1]
        session.close()
        return answer, service

    return run


def test_every_provider_that_anymail_has_is_tried_here() -> None:
    named = {one.name for one in pkgutil.iter_modules(anymail.backends.__path__)}
    others = {"base", "base_requests", "console", "test", "sendinblue", "amazon_ses"}
    assert named - others == set(PROVIDERS)  # sendinblue is brevo's former name


def test_a_message_is_taken_once_under_the_providers_number(provider, send) -> None:
    _name, one = provider
    answer, service = send(one.taken)
    assert answer.kind == "sent" and len(service.mails) == 1
    number = answer.detail.removeprefix("taken as ")
    [(path, headers, mail)] = service.mails
    basic = base64.b64decode(headers.get("authorization", "").removeprefix("Basic ") + "==")
    assert path == one.path and KEY in f"{headers} {basic!r} {mail}"
    assert number == one.number or (one.number is None and len(number) > 20)
    assert "Sale" in mail and "html" in mail
    assert "One-Click" in mail and ("n1" in mail) is one.has_metadata


def test_a_recipient_who_is_refused_is_refused_for_good(provider, send) -> None:
    answer, service = send(provider[1].refused)
    assert answer.kind == "refused" and TO not in answer.detail and len(service.mails) == 1


@pytest.mark.parametrize("provider", [("postmark", PROVIDERS["postmark"])], indirect=False)
def test_a_sender_that_is_not_confirmed_fails_nobody(provider, send) -> None:
    answer, _service = send(said(422, {"ErrorCode": 400, "Message": "The 'From' address is not confirmed"}))
    assert answer.kind == "account"


def test_a_wrong_key_fails_nobody(provider, send) -> None:
    answer, _service = send(provider[1].wrong_key)
    assert answer.kind == "account"


@pytest.mark.parametrize("status", [402, 408, 420, 429, 500, 503])
def test_trouble_of_the_provider_makes_the_person_wait(provider, send, status) -> None:
    answer, service = send((status, {}, {**JSON, "Retry-After": "7"}))
    assert answer.kind == ("account" if status == 402 else "later") and len(service.mails) == 1
    assert answer.retry_after == (0 if status == 402 else 7)


@pytest.mark.parametrize("url", ["https://provider.invalid/", "http://127.0.0.1:9/"])
def test_a_provider_that_cannot_be_reached_took_nothing(provider, send, url) -> None:
    answer, service = send(provider[1].taken, url=url)
    assert (answer.kind, answer.detail) == ("later", "the provider cannot be reached") and not service.mails
