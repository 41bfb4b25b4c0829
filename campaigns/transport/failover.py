"""Several accounts with providers of one channel, as one session: the first that works sends.

An account that cannot be reached, or keeps answering with errors of its own, is left alone by its breaker and
the next one takes over. Without one left the chunk waits, and the page says so. After the point of no return
nothing is handed to a second account.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from django.conf import settings

from campaigns.transport import breaker
from campaigns.transport.accounts import Account, accounts_of
from campaigns.transport.http import Call, HttpLine, NoAnswer, NotTaken, Reply
from campaigns.transport.session import Answer, ChannelError, Outgoing, Session
from personalization.access.outbound import ForbiddenAddress

NO_ACCOUNT = "no account with a provider is set up for this channel"


class Provider(Protocol):
    """What an HTTP channel knows of its provider."""

    def call(self, account: Account, message: Outgoing) -> Call:
        """Raises ValueError when this message cannot be sent by it."""

    def answer(self, reply: Reply, message: Outgoing) -> Answer:
        """Raises ChannelError when the account as a whole is refused."""


class HttpSession(Session):
    """`check` loads the accounts anew, so a changed credential holds from the next chunk on."""

    def __init__(self, channel: str, provider: Provider) -> None:
        self._channel = channel
        self._provider = provider
        self._line = HttpLine(timeout=settings.SEND_TIMEOUT_SECONDS)
        self._accounts: Sequence[Account] | None = None
        self._closed: set[str] = set()
        self._beside: list[HttpSession] = []

    def beside(self, number: int) -> Sequence[Session]:
        while len(self._beside) < number:
            self._beside.append(HttpSession(self._channel, self._provider))
        for one in self._beside:
            one._accounts, one._closed = self._accounts, set(self._closed)
            one.is_silent = self.is_silent
        return self._beside[:number]

    def check(self) -> None:
        self._accounts = accounts_of(self._channel)
        self._closed = {a.key for a in self._accounts if not breaker.may_try(a.key)}

    @property
    def account(self) -> Account | None:
        return next((a for a in self._accounts or () if a.key not in self._closed), None)

    def send(self, message: Outgoing, *, intent: Callable[[], None]) -> Answer:
        if self._accounts is None:
            self.check()
        waits: Answer | None = None
        for account in self._accounts or ():
            if account.key in self._closed:
                continue
            try:
                answer, is_sick = self._try(account, message, intent)
            except ChannelError as error:
                self._fail(account, str(error), at_once=True)
                continue
            if not is_sick:
                if breaker.state(account.key).failures:
                    breaker.succeed(account.key)
                return answer
            self._fail(account, answer.detail)
            if answer.kind != "later":
                return answer
            waits = answer
        if waits is not None:
            return waits
        raise ChannelError(NO_ACCOUNT if not self._accounts else "no provider of this channel answers")

    def _try(self, account: Account, message: Outgoing, intent: Callable[[], None]) -> tuple[Answer, bool]:
        """The answer, and whether it speaks of the provider's own trouble."""
        try:
            call = self._provider.call(account, message)
            reply = self._line.exchange(call, intent=intent)
        except ForbiddenAddress as error:
            return Answer("refused", str(error)), False
        except NotTaken as error:
            return Answer("later", f"connection lost before the end of the request: {error}"), True
        except NoAnswer as error:
            # With a key of the message's own the provider tells a repetition itself.
            kind = "later" if call.is_keyed else "unknown"
            return Answer(kind, f"no answer after the end of the request: {error}"), True
        return self._provider.answer(reply, message), reply.status >= 500

    def _fail(self, account: Account, reason: str, *, at_once: bool = False) -> None:
        if breaker.fail(account.key, reason, at_once=at_once).until:
            self._closed.add(account.key)

    def close(self) -> None:
        self._line.close()
        while self._beside:
            self._beside.pop().close()
