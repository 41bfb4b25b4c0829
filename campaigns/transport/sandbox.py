"""What sends nothing, the whole installation (SANDBOX) or what a test key triggered: all runs as ever, up to
the last step before the wire.

Messages of every channel stop here, calls of webhooks in `http`, other mail in Django's dummy backend. The
ledger says of each message that it was not sent.
"""

from collections.abc import Callable

from django.conf import settings
from django.utils.translation import gettext_noop

from campaigns.transport.session import Answer, Outgoing, Session

DETAIL = gettext_noop("sandbox: nothing was sent")


TEST_DETAIL = gettext_noop("test key: nothing was sent")


def is_silent(session: Session) -> bool:
    return bool(settings.SANDBOX or session.is_silent)


def hand_over(session: Session, message: Outgoing, *, intent: Callable[[], None]) -> Answer:
    """What `session.send` does; in a sandbox the same without a connection."""
    if is_silent(session):
        intent()
        return Answer("sent", TEST_DETAIL if session.is_silent else DETAIL)
    return session.send(message, intent=intent)
