"""Handing messages to an SMTP server, with the moment of no return known exactly.

The connection is set up by smtplib (EHLO, STARTTLS, AUTH). After that MAIL, RCPT and DATA go out in one write
(RFC 2920; one by one where the server does not offer PIPELINING), the message without its final dot, then
`intent()`, then the dot. Before the dot every failure is safe to try again; after it a lost connection or a
timeout is *unknown* (RFC 1047). Where the next message is known already, its MAIL, RCPT and DATA go out with
the dot (which need not be the last of a group, RFC 2920 3.1): one journey to the server for a message.
"""

import contextlib
import re
import smtplib
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from campaigns.transport.session import Answer, ChannelError, Outgoing, Session
from personalization import tracing

MAX_LINE = 4096
ADDRESS_IN_TEXT = re.compile(r"[^\s<>]+@[^\s<>]+")


@dataclass(frozen=True)
class Server:
    host: str
    port: int
    user: str = ""
    password: str = ""
    security: str = ""  # "", "starttls" or "tls"
    timeout: float = 30.0

    @classmethod
    def from_url(cls, url: str, *, timeout: float = 30.0) -> "Server":
        """smtp://, smtp+tls:// (STARTTLS) or smtp+ssl://, user:password@host:port, ?timeout=seconds."""
        parts = urlsplit(url)
        security = {"smtp": "", "smtp+tls": "starttls", "smtp+ssl": "tls"}.get(parts.scheme)
        if security is None or not parts.hostname:
            raise ValueError("EMAIL_URL must look like smtp://host:port, smtp+tls://… or smtp+ssl://…")
        given = parse_qs(parts.query).get("timeout")
        return cls(
            host=parts.hostname,
            port=parts.port or {"": 25, "starttls": 587, "tls": 465}[security],
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            security=security,
            timeout=float(given[0]) if given else timeout,
        )


def _nobody() -> None:
    return None


class Connection:
    """One open connection. After `is_broken` it is of no more use."""

    def __init__(self, server: Server) -> None:
        """Raises ChannelError."""
        self.is_broken = False
        self.sent = 0
        # The message of which the server has the envelope and has not yet had its answers read.
        self.begun: Outgoing | None = None
        try:
            with tracing.span("SMTP connect", {"server.address": server.host}, kind="CLIENT"):
                self._client = _connect(server)
        except (OSError, smtplib.SMTPException) as error:
            raise ChannelError(redact(str(error) or type(error).__name__)) from error
        sock = self._client.sock
        assert sock is not None
        self._sock = sock
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._unread = b""
        # The end of a message waits in our kernel for its dot, a fifth of a second at most: fewer packets,
        # and the server wakes once for both. Not with TLS, which knows no such flag.
        self._held = 0 if isinstance(sock, ssl.SSLSocket) else getattr(socket, "MSG_MORE", 0)
        self.pipelining = self._client.has_extn("pipelining")
        self.eight_bit = self._client.has_extn("8bitmime")
        self.utf8 = self._client.has_extn("smtputf8")

    def deliver(
        self, message: Outgoing, *, intent: Callable[[], None], ahead: Callable[[], Outgoing | None] = _nobody
    ) -> Answer:
        """One message, and the envelope of the one that `ahead` gives. What `intent` or `ahead` raises passes
        through; the message was then not taken."""
        if not self._takes(message):
            return Answer("refused", "the server takes no international addresses (SMTPUTF8)")
        try:
            refusal = self._envelope(message)
            if refusal is not None:
                return refusal
            self._sock.sendall(message.data, self._held)
        except OSError as error:
            self.abandon()
            return Answer("later", f"connection lost before the end of the message: {_why(error)}")
        try:
            following = ahead() if self.pipelining else None
            intent()
        except BaseException:
            # Hanging up without the dot is the only way to take back a message that was begun.
            self.abandon()
            raise
        return self._dot(following)

    def _takes(self, message: Outgoing) -> bool:
        return self.utf8 or message.address.isascii()

    def _envelope(self, message: Outgoing) -> Answer | None:
        """MAIL, RCPT, DATA; None when the server waits for the message."""
        commands = self._commands(message)
        if self.begun is message:
            self.begun = None
            replies = [self._reply() for _ in commands]
        elif self.pipelining:
            self._sock.sendall(b"".join(commands))
            replies = [self._reply() for _ in commands]
        else:
            replies = self._one_by_one(commands)
        bad = next((r for r in replies if not 200 <= r[0] < 400), None)
        if bad is None:
            return None
        if len(replies) == 3 and replies[2][0] == 354:
            # RFC 2920 3.1: a server may accept DATA for nobody; an empty message ends that.
            self._sock.sendall(b".\r\n")
            self._reply()
        if bad[0] == 421:
            self.abandon()
        else:
            self._sock.sendall(b"RSET\r\n")
            self._reply()
        return _answer(bad)

    def _commands(self, message: Outgoing) -> list[bytes]:
        options = b" BODY=8BITMIME" if self.eight_bit else b""
        if not message.address.isascii():
            options += b" SMTPUTF8"
        return [
            b"MAIL FROM:<%s>%s\r\n" % (message.sender.encode(), options),
            b"RCPT TO:<%s>\r\n" % message.address.encode(),
            b"DATA\r\n",
        ]

    def _one_by_one(self, commands: list[bytes]) -> list[tuple[int, str]]:
        replies = []
        for command in commands:
            self._sock.sendall(command)
            replies.append(self._reply())
            if not 200 <= replies[-1][0] < 400:
                break
        return replies

    def _dot(self, following: Outgoing | None) -> Answer:
        begun = following if following is not None and self._takes(following) else None
        try:
            self._sock.sendall(b".\r\n" + b"".join(self._commands(begun) if begun else ()))
            reply = self._reply()
        except OSError as error:
            self.abandon()
            return Answer("unknown", f"no answer after the end of the message: {_why(error)}")
        self.begun = begun
        if reply[0] == 421:
            self.abandon()
        self.sent += 1
        return _answer(reply)

    def _reply(self) -> tuple[int, str]:
        """Code and text of one reply, all its lines. Raises OSError when there is none."""
        lines = []
        while True:
            line = self._line()
            if not line[:3].isdigit() or line[3:4] not in (b" ", b"-", b"\r", b"\n"):
                raise ConnectionError("not an SMTP reply")
            lines.append(line[4:].strip())
            if line[3:4] != b"-":
                return int(line[:3]), b" ".join(lines).decode(errors="replace")

    def _line(self) -> bytes:
        """With its end. A file of the socket does the same at twice the cost."""
        while not (end := self._unread.find(b"\n") + 1):
            more = self._sock.recv(MAX_LINE) if len(self._unread) < MAX_LINE else b""
            if not more:
                raise ConnectionError("closed by the server")
            self._unread += more
        line, self._unread = self._unread[:end], self._unread[end:]
        return line

    def is_alive(self) -> bool:
        """Asks the server, after a pause in which it may have hung up."""
        try:
            self._sock.sendall(b"NOOP\r\n")
            return self._reply()[0] == 250
        except OSError:
            return False

    def quit(self) -> None:
        if not self.is_broken and self.begun is None:
            with contextlib.suppress(OSError):
                self._sock.sendall(b"QUIT\r\n")
        self.abandon()

    def abandon(self) -> None:
        self.is_broken, self.begun = True, None
        with contextlib.suppress(OSError):
            self._sock.close()


class SmtpSession(Session):
    """A connection that is opened when needed, and at once again when the server had closed an idle one."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._connection: Connection | None = None
        self._ahead: Callable[[], Outgoing | None] = _nobody

    def another(self) -> "SmtpSession":
        return SmtpSession(self._server)

    def announce_next(self, ahead: Callable[[], Outgoing | None]) -> None:
        self._ahead = ahead

    def send(self, message: Outgoing, *, intent: Callable[[], None]) -> Answer:
        ahead, self._ahead = self._ahead, _nobody
        self._drop_begun(message)
        connection = self.open()
        used = connection.sent > 0
        answer = connection.deliver(message, intent=intent, ahead=ahead)
        if answer.kind == "later" and connection.is_broken and used:
            answer = self.open().deliver(message, intent=intent, ahead=ahead)
        return answer

    def _drop_begun(self, message: Outgoing | None) -> None:
        """Hangs up on a server that waits for another message than this one."""
        connection = self._connection
        if connection is not None and connection.begun is not None and connection.begun is not message:
            connection.abandon()

    def open(self) -> Connection:
        """Raises ChannelError."""
        if self._connection is None or self._connection.is_broken:
            self._connection = Connection(self._server)
        return self._connection

    @property
    def eight_bit(self) -> bool:
        return self.open().eight_bit

    def check(self) -> None:
        self._drop_begun(None)
        if (
            self._connection is not None
            and not self._connection.is_broken
            and not self._connection.is_alive()
        ):
            self._connection.abandon()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.quit()
            self._connection = None


def _connect(server: Server) -> smtplib.SMTP:
    context = ssl.create_default_context()
    client: smtplib.SMTP
    if server.security == "tls":
        client = smtplib.SMTP_SSL(server.host, server.port, timeout=server.timeout, context=context)
    else:
        client = smtplib.SMTP(server.host, server.port, timeout=server.timeout)
    try:
        client.ehlo_or_helo_if_needed()
        if server.security == "starttls":
            client.starttls(context=context)
            client.ehlo()
        if server.user:
            client.login(server.user, server.password)
    except BaseException:
        client.close()
        raise
    return client


def _answer(reply: tuple[int, str]) -> Answer:
    code, text = reply
    kind = "sent" if 200 <= code < 300 else "refused" if code >= 500 else "later"
    return Answer(kind, redact(f"{code} {text}"))


def _why(error: OSError) -> str:
    return "timed out" if isinstance(error, TimeoutError) else (error.strerror or str(error))


def redact(text: str) -> str:
    """Servers like to repeat the address; it has no place in journals and logs."""
    return ADDRESS_IN_TEXT.sub("…", text)[:250]
