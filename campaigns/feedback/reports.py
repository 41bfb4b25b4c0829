"""Mail about mail: what a delivery report, a complaint or an automatic answer says. Pure: bytes in.

RFC 3464 reports are read by their structure; what has none is read by flufl.bounce and by rules of our own.
A report is believed about one of our messages only by the message's number (see `links.message_id`), which
nobody can invent; who calls us decides that.
"""

import email
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.header import decode_header, make_header
from email.message import Message
from email.utils import getaddresses, parseaddr

from flufl.bounce import all_failures

from campaigns.feedback.classify import HARD, SOFT, STATUS, classify

NUMBER = re.compile(r"(?<![0-9a-fA-F])([0-9a-f]{32})(?=@)")
ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
ORIGINAL = re.compile(
    r"^\W*(-+\s*)?(below this line is a copy|this is a copy of the message|original message"
    r"|returned message|message header"
    r"|included is a copy|the (header|text|body) (page )?of the (original )?message|unsent message"
    r"|your (original )?message (follows|reads|was)|received: from"
    r"|------ ?this is a copy|return-path:|message headers follow|transcript of headers"
    r"|copy of (the )?message)",
    re.IGNORECASE | re.MULTILINE,
)  # fmt: skip
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


@dataclass(frozen=True)
class Failure:
    """One address of a report. `kind`: hard, soft or block; `is_final`: nobody tries any more."""

    address: str
    kind: str
    status: str = ""
    detail: str = ""
    is_final: bool = True


@dataclass(frozen=True)
class Report:
    """`kind`: bounce, delivered, complaint, auto_reply, reply or other. `numbers`: perhaps our messages'."""

    kind: str
    failures: tuple[Failure, ...] = ()
    numbers: tuple[str, ...] = ()
    sender: str = ""
    delivered: tuple[str, ...] = field(default=())


def read_report(raw: bytes) -> Report:
    """Never raises for a mail that makes no sense: that is `other`."""
    mail = email.message_from_bytes(raw)
    numbers = tuple(dict.fromkeys(_numbers(mail, raw)))
    sender = parseaddr(_header(mail, "From"))[1]
    if complaint := _complaint(mail):
        return Report(complaint, (), numbers, sender)
    blocks = list(_blocks(mail))
    failures = tuple(_from_blocks(blocks, mail))
    delivered = tuple(
        _address(b) for b in blocks if b.get("action", "").lower() in ("delivered", "relayed", "expanded")
    )
    if failures:
        return Report("bounce", failures, numbers, sender)
    if delivered:
        return Report("delivered", (), numbers, sender, delivered)
    if _is_auto_reply(mail):
        return Report("auto_reply", (), numbers, sender)
    failures = tuple(_by_rules(mail))
    if failures:
        return Report("bounce", failures, numbers, sender)
    asked = _header(mail, "In-Reply-To") + _header(mail, "References")
    is_reply = any(number in asked for number in numbers)
    return Report("reply" if is_reply else "other", (), numbers, sender)


def _header(mail: Message, name: str) -> str:
    """All values of a header; bytes beyond ASCII, which no header may hold and many do, are UTF-8."""
    values = [str(value) for key, value in mail.raw_items() if key.lower() == name.lower()]
    return " ".join(values).encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _numbers(mail: Message, raw: bytes) -> Iterator[str]:
    """Numbers of messages of ours: in the address that the report came to, then wherever it quotes."""
    for name in ("To", "Delivered-To", "X-Original-To", "Envelope-To", "In-Reply-To", "References"):
        yield from NUMBER.findall(_header(mail, name))
    for part in mail.walk():
        yield from NUMBER.findall(_header(part, "Message-ID"))
        if not part.is_multipart():
            yield from NUMBER.findall(_text(part))
    yield from NUMBER.findall(raw.decode("ascii", errors="replace"))


def _text(part: Message) -> str:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return str(part.get_payload() or "")
    try:
        return payload.decode(part.get_content_charset() or "utf-8", errors="replace")
    except LookupError:
        return payload.decode("utf-8", errors="replace")


def _complaint(mail: Message) -> str:
    """ARF, RFC 5965: `complaint` for reports of abuse; other feedback is nothing against us."""
    for part in mail.walk():
        if part.get_content_type() == "message/feedback-report":
            fields = _fields(_content(part))
            kind = fields.get("feedback-type", "abuse").lower()
            return "complaint" if kind in ("abuse", "fraud", "opt-out", "opt-out-list", "other") else "other"
    return ""


def _content(part: Message) -> str:
    """The text of a part that the parser may have taken for messages."""
    payload = part.get_payload()
    if isinstance(payload, list):
        return "\n\n".join(one.as_string() if isinstance(one, Message) else str(one) for one in payload)
    return _text(part)


def _blocks(mail: Message) -> Iterator[dict[str, str]]:
    """The fields of each recipient, RFC 3464 2.3, names in small letters."""
    for part in mail.walk():
        if part.get_content_type() not in ("message/delivery-status", "message/global-delivery-status"):
            continue
        payload = part.get_payload()
        if isinstance(payload, list):
            found = [{k.lower(): " ".join(str(v).split()) for k, v in one.items()} for one in payload]
        else:
            found = [_fields(block) for block in re.split(r"\n\s*\n", _text(part).replace("\r\n", "\n"))]
        yield from (
            b
            for b in found
            if "final-recipient" in b or "original-recipient" in b or ("action" in b and "status" in b)
        )


def _fields(text: str) -> dict[str, str]:
    unfolded = re.sub(r"\r?\n[ \t]+", " ", text)
    pairs = (line.partition(":") for line in unfolded.splitlines() if ":" in line)
    return {name.strip().lower(): value.strip() for name, _colon, value in pairs}


def _address(block: dict[str, str]) -> str:
    for name in ("original-recipient", "final-recipient", "x-actual-recipient"):
        value = block.get(name, "").rpartition(";")[2]
        found = ADDRESS.search(value.strip().strip("<>"))
        if found:
            return found[0].lower()
    return ""


def _from_blocks(blocks: list[dict[str, str]], mail: Message) -> Iterator[Failure]:
    for block in blocks:
        action = block.get("action", "").lower().split(" ")[0]
        status = (STATUS.search(block.get("status", "")) or [""])[0]
        if action not in ("failed", "delayed", "failure") and not status.startswith(("4", "5")):
            continue
        if action in ("delivered", "relayed", "expanded"):
            continue
        detail = block.get("diagnostic-code", "").partition(";")[2].strip() or block.get(
            "diagnostic-code", ""
        )
        address = _address(block) or _failed_recipients(mail)
        told = f"{detail} {_notification(mail)}" if not detail or status.endswith(".0.0") else detail
        kind = classify(told, status=status) if action != "delayed" else SOFT
        yield Failure(address, kind, status, detail[:300], action != "delayed")


def _failed_recipients(mail: Message) -> str:
    found = [a.lower() for _name, a in getaddresses([_header(mail, "X-Failed-Recipients")]) if "@" in a]
    return found[0] if found else ""


def _notification(mail: Message) -> str:
    """What the report says to people, without the message it quotes."""
    for part in mail.walk():
        if part.get_content_type() == "text/plain":
            text = _text(part)
            cut = ORIGINAL.search(text)
            return text[: cut.start()] if cut and cut.start() > 40 else text
    for part in mail.walk():
        if part.get_content_type() == "text/html":
            return re.sub(r"<[^>]+>", " ", _text(part))
    return ""


def _is_auto_reply(mail: Message) -> bool:
    said = _header(mail, "Auto-Submitted").lower()
    subject = _subject(mail)
    if AUTO_SUBJECT.search(subject.strip()):
        return True
    marks = ("X-Autoreply", "X-Autorespond", "X-Auto-Response-Suppress-Reply", "X-Vacation")
    if any(mail.get(name) for name in marks) or _header(mail, "Precedence").lower() == "auto_reply":
        return not BOUNCE_SUBJECT.search(subject)
    return said.startswith("auto-replied") and not _looks_like_bounce(mail)


def _subject(mail: Message) -> str:
    raw = _header(mail, "Subject")
    try:
        return str(make_header(decode_header(raw)))
    except (LookupError, ValueError, UnicodeError):
        return raw


def _looks_like_bounce(mail: Message) -> bool:
    sender = _header(mail, "From")
    empty = _header(mail, "Return-Path").strip() == "<>"
    return bool(
        empty
        or DAEMON.search(sender)
        or BOUNCE_SUBJECT.search(_header(mail, "Subject"))
        or mail.get("X-Failed-Recipients")
    )


def _by_rules(mail: Message) -> Iterator[Failure]:
    """Reports without structure: flufl.bounce's detectors say the addresses, else our rules do."""
    if not _looks_like_bounce(mail):
        return
    text = _notification(mail)
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
    named = [a.lower() for _n, a in getaddresses([_header(mail, "X-Failed-Recipients")]) if "@" in a]
    if named:
        yield from named
        return
    headers = [_header(mail, name) for name in ("From", "To", "Reply-To", "Sender")]
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
            inner = part.get_payload(0) if part.is_multipart() else email.message_from_string(_text(part))
            if isinstance(inner, Message):
                to = [a.lower() for _n, a in getaddresses([_header(inner, "To")]) if "@" in a]
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
