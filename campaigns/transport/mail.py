"""Accounts that send e-mail, as one session: SMTP servers and providers; the first within reach sends."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings

from campaigns.transport import breaker, dkim, sandbox
from campaigns.transport.accounts import Account, accounts_of
from campaigns.transport.mail_backend import BackendSession
from campaigns.transport.session import Answer, ChannelError, Outgoing, Session
from campaigns.transport.smtp import Server, SmtpSession


@dataclass
class MailLine:
    """One account, ready. `signer` when no relay signs for us; `bounce_address`: where reports are to go."""

    key: str
    session: SmtpSession | BackendSession
    signer: dkim.Signer | None = None
    bounce_address: str = ""
    was_sick: bool = False
    account: Account | None = None

    @property
    def speaks_smtp(self) -> bool:
        return isinstance(self.session, SmtpSession)


class SilentSmtp(SmtpSession):
    """In a sandbox: messages are composed for a server that takes everything, and nobody is called."""

    @property
    def eight_bit(self) -> bool:
        return True

    def open(self) -> Any:
        return None


class MailSession(Session):
    """`current` is the line that messages are composed for; it changes only between messages."""

    def __init__(self) -> None:
        self._lines: list[MailLine] | None = None
        self._made_of: list[Account] = []
        self._current: MailLine | None = None
        self._beside: list[_Beside] = []

    @property
    def account(self) -> Account | None:
        line = self._current or self._all()[0]
        return line.account

    def current(self) -> MailLine:
        """An open line. Raises ChannelError when no account can be reached."""
        if self._current is None:
            trouble = "no account can be reached"
            for line in self._all():
                if not breaker.may_try(line.key):
                    continue
                try:
                    line.session.open()
                except ChannelError as error:
                    breaker.fail(line.key, str(error), at_once=True)
                    trouble = str(error)
                    continue
                line.was_sick = breaker.state(line.key).failures > 0
                self._current = line
                break
            else:
                raise ChannelError(trouble)
        return self._current

    def send(self, message: Outgoing, *, intent: Callable[[], None]) -> Answer:
        line = self.current()
        try:
            answer = line.session.send(message, intent=intent)
        except ChannelError as error:
            self._leave(line, str(error), at_once=True)
            raise
        if answer.kind == "account":
            self._leave(line, answer.detail, at_once=True)
            raise ChannelError(answer.detail)
        if answer.kind in ("later", "unknown") and not line.speaks_smtp:
            self._leave(line, answer.detail)
        elif line.was_sick:
            breaker.succeed(line.key)
            line.was_sick = False
        return answer

    def announce_next(self, ahead: Callable[[], Outgoing | None]) -> None:
        self.current().session.announce_next(ahead)

    def beside(self, number: int) -> Sequence[Session]:
        line = self.current()
        if any(one.of is not line for one in self._beside):
            self._close_beside()
        while len(self._beside) < number:
            self._beside.append(_Beside(line))
        for one in self._beside:
            one.is_silent = self.is_silent
        return self._beside[:number]

    def _close_beside(self) -> None:
        while self._beside:
            self._beside.pop().close()

    def _leave(self, line: MailLine, reason: str, *, at_once: bool = False) -> None:
        breaker.fail(line.key, reason, at_once=at_once)
        self._current = None

    def check(self) -> None:
        """Before each chunk: accounts as they are now, dropped connections noticed."""
        accounts = accounts_of("email")
        if self._lines is not None and accounts != self._made_of:
            self.close()
            self._lines = None
        self._made_of = accounts
        if self._current is not None:
            self._current.session.check()
            # The first that can be reached sends, also after another stood in for it.
            if self._lines and self._current is not self._lines[0]:
                self._current = None

    def _all(self) -> list[MailLine]:
        if self._lines is None:
            self._made_of = accounts_of("email")
            if sandbox.is_silent(self):
                self._lines = [_silent()]
            else:
                self._lines = [_line(account) for account in self._made_of] or [_default()]
        return self._lines

    def close(self) -> None:
        for line in self._lines or ():
            line.session.close()
        self._current = None
        self._close_beside()


class _Beside(MailSession):
    """One more connection to the account of `of`. A server allows a client only so many, so one that is not
    to be had says nothing against the account."""

    def __init__(self, of: MailLine) -> None:
        super().__init__()
        self.of = of
        self._current = replace(of, session=of.session.another())
        self._lines = [self._current]

    def check(self) -> None:
        """Raises ChannelError."""
        self.current().session.check()

    def current(self) -> MailLine:
        """Raises ChannelError."""
        if self._current is None:
            raise ChannelError("the account is left alone for now")
        self._current.session.open()
        return self._current

    def _leave(self, line: MailLine, reason: str, *, at_once: bool = False) -> None:
        if not at_once and breaker.fail(line.key, reason).until:
            self._current = None


def default_key() -> str:
    """The breaker of the server that EMAIL_URL names."""
    server = Server.from_url(settings.EMAIL_URL)
    return f"email:{server.host}:{server.port}"


def _default() -> MailLine:
    """Where EMAIL_URL points. Raises ValueError when it cannot be read."""
    server = Server.from_url(settings.EMAIL_URL, timeout=settings.SEND_TIMEOUT_SECONDS)
    return MailLine(default_key(), SmtpSession(server), bounce_address=settings.BOUNCE_ADDRESS)


def _silent() -> MailLine:
    server = Server.from_url(settings.EMAIL_URL, timeout=settings.SEND_TIMEOUT_SECONDS)
    return MailLine("email:silent", SilentSmtp(server), bounce_address=settings.BOUNCE_ADDRESS)


def _line(account: Account) -> MailLine:
    values = account.values
    session: SmtpSession | BackendSession
    if values.get("backend"):
        session = BackendSession(values["backend"], json.loads(values.get("settings") or "{}"))
    else:
        session = SmtpSession(Server.from_url(values["smtp_url"], timeout=settings.SEND_TIMEOUT_SECONDS))
    signer = None
    if values.get("dkim_key"):
        signer = dkim.signer(values["dkim_domain"], values["dkim_selector"], values["dkim_key"])
    bounce_address = values.get("bounce_address") or settings.BOUNCE_ADDRESS
    return MailLine(account.key, session, signer, bounce_address, account=account)
