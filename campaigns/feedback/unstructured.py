"""Mail about mail that has no structure: flufl.bounce's detectors and rules of our own. Pure."""

import email
import re
from collections.abc import Iterator
from email.message import Message
from email.utils import getaddresses

from flufl.bounce import all_failures

from campaigns.feedback.classify import HARD, SOFT, STATUS, Failure, classify
from campaigns.feedback.mails import ADDRESS, header_of, notification_of, subject_of, text_of

REFUSED = re.compile(
    r"[45]\d\d[\s-]|[45]\.\d+\.\d+|unknown|not (be )?(found|delivered|deliverable|exist|reach)|no such"
    r"|does(n.t| not) exist|fail|undeliver"
    r"|refused|reject|returned|quota|full|invalid|disabled|could ?n[o']t|unable|following (address"
    r"|recipient|user)|permanent|fatal|bounce|error",
    re.IGNORECASE,
)  # fmt: skip
DAEMON = re.compile(
    r"mailer.?daemon|postmaster|mail.?(delivery|admin|system)|^mdaemon|bounce|nobody@|root@", re.IGNORECASE
)
BOUNCE_SUBJECT = re.compile(
    r"undeliver|returned|delivery (status|fail|report|notif|problem|has failed)|fail(ed|ure)"
    r"|non.?deliver|mail (system )?(error|delivery)|unzustellbar|non remis"
    r"|could not (be )?deliver|bounce|warning: |delayed|not delivered|no se ha podido|退信|投递失败",
    re.IGNORECASE,
)  # fmt: skip
AUTO_SUBJECT = re.compile(
    r"^(re:\s*|aw:\s*)?(auto(matic|mated|matische|-)? ?-?(reply|response|antwort)|out of (the )?office"
    r"|abwesen|vacation|on (annual |maternity )?leave|r[ée]ponse automatique"
    r"|respuesta autom|risposta automatica|i am (away|out)|away from|自动回复|自動回覆|不在)",
    re.IGNORECASE,
)  # fmt: skip


def is_auto_reply(mail: Message) -> bool:
    said = header_of(mail, "Auto-Submitted").lower()
    subject = subject_of(mail)
    if AUTO_SUBJECT.search(subject.strip()):
        return True
    marks = ("X-Autoreply", "X-Autorespond", "X-Auto-Response-Suppress-Reply", "X-Vacation")
    if any(mail.get(name) for name in marks) or header_of(mail, "Precedence").lower() == "auto_reply":
        return not BOUNCE_SUBJECT.search(subject)
    return said.startswith("auto-replied") and not _looks_like_bounce(mail)


def _looks_like_bounce(mail: Message) -> bool:
    sender = header_of(mail, "From")
    empty = header_of(mail, "Return-Path").strip() == "<>"
    return bool(
        empty
        or DAEMON.search(sender)
        or BOUNCE_SUBJECT.search(header_of(mail, "Subject"))
        or mail.get("X-Failed-Recipients")
    )


def failures_by_rules(mail: Message) -> Iterator[Failure]:
    """Reports without structure: flufl.bounce's detectors say the addresses, else our rules do."""
    if not _looks_like_bounce(mail):
        return
    text = notification_of(mail)
    try:
        temporary, permanent = all_failures(mail)
    except Exception:  # a detector that stumbles over a broken mail has found nothing
        temporary, permanent = frozenset(), frozenset()
    found = {a.decode(errors="replace").lower(): a in permanent for a in (*temporary, *permanent)}
    if not found:
        found = dict.fromkeys(_addresses(mail, text), True)
    for address, is_permanent in found.items():
        told = _around(text, address)
        kind = classify(told, status=(STATUS.search(told) or [""])[0])
        if kind == HARD and not is_permanent:
            kind = SOFT
        yield Failure(
            address, kind, (STATUS.search(told) or [""])[0], " ".join(told.split())[:300], is_permanent
        )


def _addresses(mail: Message, text: str) -> Iterator[str]:
    """Addresses that a report of no known form speaks of: named in a header, else on lines of refusal."""
    named = [a.lower() for _n, a in getaddresses([header_of(mail, "X-Failed-Recipients")]) if "@" in a]
    if named:
        yield from named
        return
    headers = [header_of(mail, name) for name in ("From", "To", "Reply-To", "Sender")]
    own = {address.lower() for _name, address in getaddresses(headers)}
    found = _on_lines(text.splitlines(), own, near_refusal=True)
    found = found or _on_lines(text.splitlines(), own, near_refusal=False)
    quoted = _quoted_recipient(mail)
    if found:
        yield from found
    elif quoted and quoted not in own:
        yield quoted


def _on_lines(lines: list[str], own: set[str], *, near_refusal: bool) -> list[str]:
    """The addresses on the first line that names one which is nobody's of this mail itself."""
    for index, line in enumerate(lines):
        if near_refusal and not REFUSED.search(" ".join(lines[max(0, index - 3) : index + 4])):
            continue
        plain = dict.fromkeys(address.strip(".").lower() for address in ADDRESS.findall(line))
        found = [address for address in plain if address not in own and not DAEMON.search(address)]
        if found:
            return found
    return []


def _quoted_recipient(mail: Message) -> str:
    """To whom the quoted message went, when it went to one."""
    for part in mail.walk():
        if part.get_content_type() in ("message/rfc822", "text/rfc822-headers", "text/rfc822"):
            inner = part.get_payload(0) if part.is_multipart() else email.message_from_string(text_of(part))
            if isinstance(inner, Message):
                to = [a.lower() for _n, a in getaddresses([header_of(inner, "To")]) if "@" in a]
                if len(to) == 1:
                    return to[0]
    return ""


def _around(text: str, address: str) -> str:
    """The lines that speak of the address; the whole text when none does."""
    lines = text.splitlines()
    local = address.partition("@")[0]
    for index, line in enumerate(lines):
        if address in line.lower() or (len(local) > 3 and local in line.lower()):
            return " ".join(lines[max(0, index - 4) : index + 8])
    return text[:2000]
