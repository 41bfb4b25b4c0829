"""Parts of a mail as text: headers, bodies, fields, and what a report says to people."""

import re
from email.header import decode_header, make_header
from email.message import Message

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


def header_of(mail: Message, name: str) -> str:
    """All values of a header; bytes beyond ASCII, which no header may hold and many do, are UTF-8."""
    values = [str(value) for key, value in mail.raw_items() if key.lower() == name.lower()]
    return " ".join(values).encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def text_of(part: Message) -> str:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return str(part.get_payload() or "")
    try:
        return payload.decode(part.get_content_charset() or "utf-8", errors="replace")
    except LookupError:
        return payload.decode("utf-8", errors="replace")


def content_of(part: Message) -> str:
    """The text of a part that the parser may have taken for messages."""
    payload = part.get_payload()
    if isinstance(payload, list):
        return "\n\n".join(one.as_string() if isinstance(one, Message) else str(one) for one in payload)
    return text_of(part)


def fields_of(text: str) -> dict[str, str]:
    unfolded = re.sub(r"\r?\n[ \t]+", " ", text)
    pairs = (line.partition(":") for line in unfolded.splitlines() if ":" in line)
    return {name.strip().lower(): value.strip() for name, _colon, value in pairs}


def notification_of(mail: Message) -> str:
    """What the report says to people, without the message it quotes."""
    for part in mail.walk():
        if part.get_content_type() == "text/plain":
            text = text_of(part)
            cut = ORIGINAL.search(text)
            return text[: cut.start()] if cut and cut.start() > 40 else text
    for part in mail.walk():
        if part.get_content_type() == "text/html":
            return re.sub(r"<[^>]+>", " ", text_of(part))
    return ""


def subject_of(mail: Message) -> str:
    raw = header_of(mail, "Subject")
    try:
        return str(make_header(decode_header(raw)))
    except (LookupError, ValueError, UnicodeError):
        return raw
