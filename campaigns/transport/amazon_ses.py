"""Amazon SES, the one provider of django-anymail that is called by boto3: its options and its errors."""

from collections.abc import Mapping
from typing import Any

from anymail.exceptions import AnymailError
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    ParamValidationError,
    SSLError,
)
from django.conf import settings

from campaigns.transport.session import Answer

BACKEND = "anymail.backends.amazon_ses.EmailBackend"
# About the account, whatever their status: everybody waits instead of failing.
OF_THE_ACCOUNT = {
    "AccessDeniedException", "AccountSuspendedException", "ExpiredTokenException", "InvalidClientTokenId",
    "LimitExceededException", "MailFromDomainNotVerifiedException", "NotFoundException",
    "SendingPausedException", "SignatureDoesNotMatch", "UnrecognizedClientException",
}  # fmt: skip


def called_once(options: Mapping[str, Any]) -> dict[str, Any]:
    """The backend's options, but each call is made once: boto3 would repeat one that got no answer, and the
    first may have been taken."""
    client = dict(options.get("client_params") or {})
    config = {
        "connect_timeout": settings.SEND_TIMEOUT_SECONDS, "read_timeout": settings.SEND_TIMEOUT_SECONDS,
        **(client.get("config") or {}), "retries": {"total_max_attempts": 1},
    }  # fmt: skip
    return {**options, "client_params": {**client, "config": config}}


def answer_of(error: AnymailError, told: str) -> Answer | None:
    """What an error of boto3 means; None when it is none. `told`: the error in words."""
    cause = error.__cause__
    if isinstance(cause, ClientError):
        return _of_service(cause, told)
    if isinstance(cause, SSLError) and "CERTIFICATE_VERIFY_FAILED" not in str(cause):
        return None  # it may have failed after the call, too
    if isinstance(cause, ConnectionError):  # all others of its kind: no connection was made
        return Answer("later", "the provider cannot be reached")
    if isinstance(cause, ParamValidationError):
        return Answer("refused", told)
    if isinstance(cause, BotoCoreError) and "Credential" in type(cause).__name__:
        return Answer("account", told)
    return None


def _of_service(cause: ClientError, told: str) -> Answer:
    about = cause.response.get("ResponseMetadata", {})
    status, code = int(about.get("HTTPStatusCode") or 0), cause.response.get("Error", {}).get("Code", "")
    if code in OF_THE_ACCOUNT or status in (401, 403):
        return Answer("account", told)
    if status == 429 or status >= 500:
        return Answer("later", told)
    return Answer("refused", told) if status else Answer("unknown", told)
