"""E-mail through any Django e-mail backend, above all the providers of django-anymail.

A backend builds its request and sends it in one call, so the point of no return lies before that call: a
worker killed inside of it leaves *unknown*, as everywhere.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import requests
from anymail.exceptions import (
    AnymailCancelSend,
    AnymailError,
    AnymailInvalidAddress,
    AnymailRecipientsRefused,
    AnymailSerializationError,
    AnymailUnsupportedFeature,
)
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, ProxyError

from campaigns.transport import amazon_ses
from campaigns.transport.provider_codes import is_about_account
from campaigns.transport.session import Answer, ChannelError, Outgoing, Session
from campaigns.transport.smtp import redact

# A name that is not found is a NewConnectionError, too.
NEVER_CONNECTED = (NewConnectionError, ConnectTimeoutError, ProxyError)
REFUSED = (AnymailInvalidAddress, AnymailUnsupportedFeature, AnymailSerializationError, AnymailCancelSend)

BUSY = (408, 420, 425, 429)  # 420: SparkPost's limit of sending
MAX_NUMBER = 200
# Anymail raises an error for the other two alone.
NOT_TAKEN = {"failed", "invalid", "rejected"}


@dataclass(frozen=True)
class Letter:
    """One message before a backend makes bytes or a request of it. `from_header` and `to_header` are name and
    address as one header value."""

    from_header: str
    to_header: str
    subject: str
    text: str
    html: str
    headers: Mapping[str, str]
    metadata: Mapping[str, str]


class BackendSession(Session):
    """`options` are the backend's own keyword arguments, for example an API key."""

    def __init__(self, backend: str, options: Mapping[str, Any]) -> None:
        self._backend = backend
        self._options = amazon_ses.called_once(options) if backend == amazon_ses.BACKEND else dict(options)
        self._connection: BaseEmailBackend | None = None

    def another(self) -> "BackendSession":
        return BackendSession(self._backend, self._options)

    def send(self, message: Outgoing, *, intent: Callable[[], None]) -> Answer:
        connection = self.open()
        mail = _mail(message.data, connection)
        intent()
        try:
            count = _send(mail, connection)
        except AnymailRecipientsRefused as error:
            return Answer("refused", _told(error))
        except REFUSED as error:
            return Answer("refused", _told(error))
        except AnymailError as error:
            return _of_provider(error)
        except (requests.ConnectTimeout, ConnectionRefusedError) as error:
            self.close()
            return Answer("later", f"the provider cannot be reached: {type(error).__name__}")
        except (OSError, requests.RequestException) as error:
            self.close()
            return Answer("unknown", f"no answer of the provider: {type(error).__name__}")
        except Exception as error:
            # A backend of somebody else's: it may have sent before it stumbled.
            self.close()
            return Answer("unknown", f"the e-mail backend failed: {type(error).__name__}")
        if not count:
            return Answer("refused", "the backend took nothing")
        if (said := _statuses(mail)) and said <= NOT_TAKEN:
            return Answer("refused", f"the provider says: {', '.join(sorted(said))}")
        return Answer("sent", _number(mail))

    def open(self) -> BaseEmailBackend:
        """Raises ChannelError."""
        if self._connection is None:
            try:
                connection = get_connection(self._backend, fail_silently=False, **self._options)
                connection.open()
            except OSError as error:
                raise ChannelError(redact(str(error) or type(error).__name__)) from error
            except Exception as error:
                # Of any kind, since it may be anybody's backend: nothing was handed over, so all can wait.
                raise ChannelError(f"the e-mail backend is not set up: {redact(str(error))}") from error
            self._connection = connection
        return self._connection

    def check(self) -> None:
        return

    def close(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            try:
                connection.close()
            except OSError:
                return


def _mail(letter: Letter, connection: BaseEmailBackend) -> EmailMultiAlternatives:
    mail = EmailMultiAlternatives(
        letter.subject, letter.text, letter.from_header, [letter.to_header], headers=dict(letter.headers),
        connection=connection,
    )  # fmt: skip
    mail.attach_alternative(letter.html, "text/html")
    # Comes back with the provider's events, whatever number the provider gives the message.
    mail.metadata = dict(letter.metadata)  # type: ignore[attr-defined]
    return mail


def _send(mail: EmailMultiAlternatives, connection: BaseEmailBackend) -> int | None:
    """Providers without metadata refuse it before anybody is called; their events are known by the provider's
    own number, which is kept with the delivery."""
    try:
        return connection.send_messages([mail])
    except AnymailUnsupportedFeature:
        if not hasattr(mail, "metadata"):
            raise
        del mail.metadata
        return connection.send_messages([mail])


def _of_provider(error: AnymailError) -> Answer:
    status = error.status_code
    cause = error.__cause__
    if found := amazon_ses.answer_of(error, _told(error)):
        return found
    if status is None:
        if isinstance(cause, requests.ConnectTimeout) or _never_connected(cause):
            return Answer("later", "the provider cannot be reached")
        return Answer("unknown", f"no answer of the provider: {type(cause or error).__name__}")
    detail = f"HTTP {status} {_told(error)}"
    if is_about_account(error):
        return Answer("account", detail)
    if status in BUSY or status >= 500:
        return Answer("later", detail, _pause(error))
    return Answer("refused", detail)


def _never_connected(cause: BaseException | None) -> bool:
    """A connection that was never made, or whose certificate was not believed, is safe to try again."""
    if not isinstance(cause, requests.ConnectionError) or not cause.args:
        return False
    reason = getattr(cause.args[0], "reason", None)  # of urllib3's MaxRetryError
    return isinstance(reason, NEVER_CONNECTED) or "CERTIFICATE_VERIFY_FAILED" in str(reason)


def _pause(error: AnymailError) -> float:
    value = (
        getattr(error.response, "headers", {}).get("Retry-After", "") if error.response is not None else ""
    )
    return min(float(value), 86_400.0) if re.fullmatch(r"\d+", value) else 0.0


def _told(error: BaseException) -> str:
    return redact(" ".join(str(error).split())[:400])


def _number(mail: EmailMultiAlternatives) -> str:
    status = getattr(mail, "anymail_status", None)
    found = getattr(status, "message_id", None)
    return taken_as(str(found)) if found else "taken"


def _statuses(mail: EmailMultiAlternatives) -> set[str]:
    """What the provider says of the recipient; empty for backends of other kinds."""
    return getattr(getattr(mail, "anymail_status", None), "status", None) or set()


def taken_as(number: str) -> str:
    """The detail of a delivery that the provider took under this number of its own: whole, though it may look
    like an address, for events are known by it."""
    return f"taken as {number[:MAX_NUMBER]}"
