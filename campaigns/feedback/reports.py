"""Mail about mail: what a delivery report, a complaint or an automatic answer says. Pure: bytes in.

RFC 3464 reports are read by their structure; what has none is read by flufl.bounce and by rules of our own.
A report is believed about one of our messages only by the message's number (see `links.message_id`), which
nobody can invent; who calls us decides that.
"""

import email
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message
from email.utils import getaddresses, parseaddr

from campaigns.feedback.classify import SOFT, STATUS, Failure, classify
from campaigns.feedback.mails import ADDRESS, content_of, fields_of, header_of, notification_of, text_of
from campaigns.feedback.unstructured import failures_by_rules, is_auto_reply

NUMBER = re.compile(r"(?<![0-9a-fA-F])([0-9a-f]{32})(?=@)")


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
    sender = parseaddr(header_of(mail, "From"))[1]
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
    if is_auto_reply(mail):
        return Report("auto_reply", (), numbers, sender)
    failures = tuple(failures_by_rules(mail))
    if failures:
        return Report("bounce", failures, numbers, sender)
    asked = header_of(mail, "In-Reply-To") + header_of(mail, "References")
    is_reply = any(number in asked for number in numbers)
    return Report("reply" if is_reply else "other", (), numbers, sender)


def _numbers(mail: Message, raw: bytes) -> Iterator[str]:
    """Numbers of messages of ours: in the address that the report came to, then wherever it quotes."""
    for name in ("To", "Delivered-To", "X-Original-To", "Envelope-To", "In-Reply-To", "References"):
        yield from NUMBER.findall(header_of(mail, name))
    for part in mail.walk():
        yield from NUMBER.findall(header_of(part, "Message-ID"))
        if not part.is_multipart():
            yield from NUMBER.findall(text_of(part))
    yield from NUMBER.findall(raw.decode("ascii", errors="replace"))


def _complaint(mail: Message) -> str:
    """ARF, RFC 5965: `complaint` for reports of abuse; other feedback is nothing against us."""
    for part in mail.walk():
        if part.get_content_type() == "message/feedback-report":
            fields = fields_of(content_of(part))
            kind = fields.get("feedback-type", "abuse").lower()
            return "complaint" if kind in ("abuse", "fraud", "opt-out", "opt-out-list", "other") else "other"
    return ""


def _blocks(mail: Message) -> Iterator[dict[str, str]]:
    """The fields of each recipient, RFC 3464 2.3, names in small letters."""
    for part in mail.walk():
        if part.get_content_type() not in ("message/delivery-status", "message/global-delivery-status"):
            continue
        payload = part.get_payload()
        if isinstance(payload, list):
            found = [
                {k.lower(): " ".join(str(v).split()) for k, v in one.items()}
                for one in payload
                if isinstance(one, Message)
            ]
        else:
            found = [fields_of(block) for block in re.split(r"\n\s*\n", text_of(part).replace("\r\n", "\n"))]
        yield from (
            b
            for b in found
            if "final-recipient" in b or "original-recipient" in b or ("action" in b and "status" in b)
        )


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
        told = f"{detail} {notification_of(mail)}" if not detail or status.endswith(".0.0") else detail
        kind = classify(told, status=status) if action != "delayed" else SOFT
        yield Failure(address, kind, status, detail[:300], action != "delayed")


def _failed_recipients(mail: Message) -> str:
    found = [a.lower() for _name, a in getaddresses([header_of(mail, "X-Failed-Recipients")]) if "@" in a]
    return found[0] if found else ""
