"""Handing messages to an HTTP service, with the moment of no return known as exactly as with SMTP.

The request goes out without the last byte of its body, which no server can act on; then `intent()`; then the
last byte. Before it every failure is safe to try again. After it a lost connection or a timeout is *unknown*,
unless the service promises to take a request with the same key once: then it may be repeated.
"""

import contextlib
import http.client
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext, gettext_noop

from campaigns.transport.session import Answer, ChannelError
from campaigns.transport.smtp import redact
from personalization.access.outbound import ForbiddenAddress, Line, check_url

MAX_REPLY = 64_000
MAX_PAUSE = 24 * 3600.0
TIMED_OUT = gettext_noop("timed out")
UNTRUSTED = gettext_noop("the certificate is not trusted")
# What systems say of a connection that could not be made: for the translations.
gettext_noop("Connection refused")
gettext_noop("Connection reset by peer")
gettext_noop("Name or service not known")
gettext_noop("Network is unreachable")
gettext_noop("No route to host")
gettext_noop("Temporary failure in name resolution")


@dataclass(frozen=True)
class Call:
    """A POST. `is_keyed`: the service takes the same call once, however often it gets it. `is_test`: it stops
    here."""

    url: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    is_keyed: bool = False
    is_test: bool = False


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]  # names in small letters
    body: bytes

    @property
    def retry_after(self) -> float:
        """Seconds the service asks us to wait; 0 when it says nothing."""
        return _seconds(self.headers.get("retry-after", ""))


class NotTaken(OSError):
    """The connection was lost before the last byte."""


class NoAnswer(OSError):
    """The connection was lost, or nothing came in time, after the last byte."""


class HttpLine:
    """Kept connections to the hosts of one provider."""

    def __init__(self, *, timeout: float) -> None:
        self._timeout = timeout
        self._lines: dict[str, Line] = {}

    def exchange(self, call: Call, *, intent: Callable[[], None]) -> Reply:
        """Raises ChannelError (no connection), ForbiddenAddress, NotTaken, NoAnswer; what `intent` raises
        passes through, and the call was then not taken. In a sandbox nothing is called, and all is well."""
        if settings.SANDBOX or call.is_test:
            check_url(call.url)
            intent()
            return Reply(200, {}, b"sandbox: nothing was sent")
        parts = check_url(call.url)
        origin = f"{parts.scheme}://{parts.netloc}"
        line, is_new = self._open(origin)
        try:
            self._begin(line, call)
        except (OSError, http.client.HTTPException) as error:
            self._drop(origin)
            if is_new:
                raise NotTaken(_why(error)) from error
            # The other side had closed an idle connection: nothing was taken.
            line, _new = self._open(origin)
            try:
                self._begin(line, call)
            except (OSError, http.client.HTTPException) as again:
                self._drop(origin)
                raise NotTaken(_why(again)) from again
        try:
            intent()
        except BaseException:
            self._drop(origin)
            raise
        return self._end(line, call, origin)

    def _open(self, origin: str) -> tuple[Line, bool]:
        if origin in self._lines:
            return self._lines[origin], False
        line = Line(urlsplit(origin), timeout=self._timeout)
        try:
            line.connect()
        except ForbiddenAddress:
            raise
        except OSError as error:
            raise ChannelError(_why(error)) from error
        self._lines[origin] = line
        return line, True

    def _begin(self, line: Line, call: Call) -> None:
        parts = urlsplit(call.url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        line.putrequest("POST", target, skip_accept_encoding=True)
        for name, value in call.headers.items():
            line.putheader(name, value)
        line.putheader("Content-Length", str(len(call.body)))
        line.endheaders(call.body[:-1])

    def _end(self, line: Line, call: Call, origin: str) -> Reply:
        try:
            line.send(call.body[-1:])
            response = line.getresponse()
            body = response.read(MAX_REPLY)
            headers = {name.lower(): value for name, value in response.getheaders()}
            if not response.isclosed() or response.will_close:
                self._drop(origin)
        except (OSError, http.client.HTTPException) as error:
            self._drop(origin)
            raise NoAnswer(_why(error)) from error
        return Reply(response.status, headers, body)

    def _drop(self, origin: str) -> None:
        line = self._lines.pop(origin, None)
        if line is not None:
            with contextlib.suppress(OSError):
                line.close()

    def close(self) -> None:
        for origin in list(self._lines):
            self._drop(origin)


def in_words(why: str) -> str:
    """Why there was no answer, in the reader's language: workers keep it in English. What others have said
    stays as they said it."""
    known, colon, more = why.partition(": ")
    if known == UNTRUSTED:
        return f"{gettext(known)}{colon}{more}"
    return gettext(why) if why else ""


def judge(reply: Reply) -> Answer:
    """What a status means where a service says nothing more exact: RFC 9110, RFC 6585."""
    detail = redact(f"HTTP {reply.status} {_text(reply.body)}")
    if 200 <= reply.status < 300:
        return Answer("sent", detail)
    if reply.status in (408, 425, 429) or reply.status >= 500:
        return Answer("later", detail, reply.retry_after)
    return Answer("refused", detail)


def _text(body: bytes) -> str:
    return " ".join(body[:400].decode(errors="replace").split())


def _why(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return TIMED_OUT
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"{UNTRUSTED}: {error.verify_message}"
    return redact(getattr(error, "strerror", None) or str(error) or type(error).__name__)


def _seconds(value: str) -> float:
    """Retry-After in seconds, as a number or as a date (RFC 9110 10.2.3)."""
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
        except (TypeError, ValueError):
            return 0.0
    return min(max(seconds, 0.0), MAX_PAUSE) if seconds == seconds else 0.0
