"""Reading the mailbox that reports go to: IMAP, POP3, a pipe, LMTP.

What is understood as a report about our mail is taken and removed; everything else stays where it is and as
unread as it was. A mail that cannot be taken now (no database) stays as well.
"""

import contextlib
import hashlib
import imaplib
import poplib
import ssl
from collections.abc import Iterator
from urllib.parse import SplitResult, unquote, urlsplit

import structlog
from django.core.cache import cache
from django.db import DatabaseError

from campaigns.feedback.handling import Taken, take_report
from campaigns.feedback.reports import read_report

log = structlog.get_logger(__name__)
MAX_MAIL = 5_000_000
BATCH = 200
SEEN = "$BespokeRead"  # an IMAP keyword: looked at, and not ours
REMEMBERED = 30 * 24 * 3600


class MailboxError(Exception):
    """The mailbox cannot be read; the text never holds its password."""


def take_mail(raw: bytes) -> Taken:
    """One mail. Raises DatabaseError when it could not be kept."""
    report = read_report(raw[:MAX_MAIL])
    return take_report(report, key=f"mail:{hashlib.sha256(raw).hexdigest()[:40]}")


def read_mailbox(url: str, *, timeout: float = 30.0) -> dict[str, int]:
    """imap(s):// or pop3(s)://user:password@host[:port]/[folder]; how many were taken, left and failed.

    Raises MailboxError.
    """
    parts = urlsplit(url)
    readers = {"imap": _imap, "imaps": _imap, "pop3": _pop, "pop3s": _pop}
    if parts.scheme not in readers or not parts.hostname:
        raise MailboxError("BOUNCE_MAILBOX must look like imaps://user:password@host/INBOX or pop3s://…")
    counts = {"taken": 0, "left": 0, "failed": 0}
    try:
        for outcome in readers[parts.scheme](parts, timeout):
            counts[outcome] += 1
    except (OSError, imaplib.IMAP4.error, poplib.error_proto) as error:
        raise MailboxError(f"{parts.hostname}: {type(error).__name__}") from error
    return counts


def _outcome(raw: bytes) -> str:
    try:
        return "taken" if take_mail(raw).deliveries else "left"
    except DatabaseError as error:
        log.error("report_not_taken", error=type(error).__name__)
        return "failed"


def _imap(parts: SplitResult, timeout: float) -> Iterator[str]:
    host, secure = str(parts.hostname), parts.scheme == "imaps"
    client: imaplib.IMAP4 = (
        imaplib.IMAP4_SSL(host, parts.port or 993, timeout=timeout, ssl_context=ssl.create_default_context())
        if secure
        else imaplib.IMAP4(host, parts.port or 143, timeout=timeout)
    )
    with client:
        client.login(unquote(parts.username or ""), unquote(parts.password or ""))
        status, _ = client.select(unquote(parts.path.strip("/")) or "INBOX")
        if status != "OK":
            raise MailboxError("there is no such folder")
        _status, found = client.uid("search", "UNDELETED", "UNKEYWORD", SEEN)
        for uid in (found[0] or b"").split()[:BATCH]:
            # PEEK leaves the mail unread for whoever else reads this folder.
            _status, data = client.uid("fetch", uid.decode(), "(BODY.PEEK[])")
            raw = next((one[1] for one in data if isinstance(one, tuple)), None)
            if raw is None:
                continue
            outcome = _outcome(raw)
            if outcome == "taken":
                client.uid("store", uid.decode(), "+FLAGS.SILENT", r"(\Deleted)")
            elif outcome == "left":
                with contextlib.suppress(imaplib.IMAP4.error):
                    client.uid("store", uid.decode(), "+FLAGS.SILENT", f"({SEEN})")
            yield outcome
        client.expunge()


def _pop(parts: SplitResult, timeout: float) -> Iterator[str]:
    host, secure = str(parts.hostname), parts.scheme == "pop3s"
    client: poplib.POP3 = (
        poplib.POP3_SSL(host, parts.port or 995, timeout=timeout, context=ssl.create_default_context())
        if secure
        else poplib.POP3(host, parts.port or 110, timeout=timeout)
    )
    try:
        client.user(unquote(parts.username or ""))
        client.pass_(unquote(parts.password or ""))
        looked = 0
        for line in client.uidl()[1]:
            number, uid = line.decode(errors="replace").split(" ", 1)
            known = f"campaigns:pop:{hashlib.sha256(f'{host}:{uid}'.encode()).hexdigest()[:32]}"
            if cache.get(known) or looked >= BATCH:
                continue
            looked += 1
            outcome = _outcome(b"\r\n".join(client.retr(int(number))[1]) + b"\r\n")
            if outcome == "taken":
                client.dele(int(number))
            elif outcome == "left":
                cache.set(known, 1, timeout=REMEMBERED)
            yield outcome
    finally:
        client.quit()
