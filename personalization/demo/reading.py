"""What a customer sees in a mail that really arrived: items, language, links to follow."""

import re
from dataclasses import dataclass, field
from email import message_from_string
from email.message import EmailMessage
from email.policy import default
from email.utils import parseaddr
from html.parser import HTMLParser
from urllib.parse import urlsplit

PICTURE = re.compile(r"/demo/pictures/(\d+-\d+-\d+-\d+)\.svg")
CHINESE = re.compile(r"[\u4e00-\u9fff]")
OPEN_PATH, CLICK_PATH = "/t/o/", "/t/c/"


@dataclass(frozen=True)
class Letter:
    """`links` are (what the link holds: its text and pictures' addresses and descriptions, address)."""

    recipient: str
    subject: str
    language: str
    text: str
    pixel: str
    links: tuple[tuple[str, str], ...]
    unsubscribe: str


@dataclass
class _Anchor:
    href: str
    parts: list[str] = field(default_factory=list)


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.anchors: list[_Anchor] = []
        self.words: list[str] = []
        self.pixel = ""
        self.open_anchor: _Anchor | None = None
        self.silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "a" and found.get("href"):
            self.open_anchor = _Anchor(found["href"])
            self.anchors.append(self.open_anchor)
        elif tag == "img" and OPEN_PATH in found.get("src", ""):
            self.pixel = found["src"]
        elif tag == "img" and self.open_anchor:
            self.open_anchor.parts += [found.get("alt", ""), found.get("src", "")]
        elif tag in ("style", "script", "title"):
            self.silent += 1

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self.open_anchor = None
        elif tag in ("style", "script", "title"):
            self.silent = max(0, self.silent - 1)

    def handle_data(self, data: str) -> None:
        if self.silent or not data.strip():
            return
        self.words.append(data.strip())
        if self.open_anchor:
            self.open_anchor.parts.append(data.strip())


def read_letter(raw: str) -> Letter:
    """Reads the mail as it was received; parts that are missing come out empty."""
    message = message_from_string(raw, policy=default)
    assert isinstance(message, EmailMessage)
    html = message.get_body(("html",))
    page = _Page()
    if html is not None:
        page.feed(html.get_content())
    text = " ".join(page.words)
    return Letter(
        recipient=parseaddr(str(message["To"] or ""))[1].lower(),
        subject=str(message["Subject"] or ""),
        language="zh" if len(CHINESE.findall(text)) > len(text) * 0.15 else "en",
        text=text,
        pixel=page.pixel,
        links=tuple((" ".join(a.parts), a.href) for a in page.anchors if CLICK_PATH in a.href),
        unsubscribe=_one_click(message),
    )


def _one_click(message: EmailMessage) -> str:
    """The address of RFC 8058, empty when the mail offers none."""
    if "one-click" not in str(message["List-Unsubscribe-Post"] or "").lower():
        return ""
    addresses = re.findall(r"<(https?://[^>]+)>", str(message["List-Unsubscribe"] or ""))
    return addresses[0] if addresses else ""


def own_address(url: str, *, site_url: str) -> bool:
    """Whether the address belongs to this installation: a mail must not send the simulator elsewhere."""
    ours, theirs = urlsplit(site_url), urlsplit(url)
    return (ours.scheme, ours.netloc) == (theirs.scheme, theirs.netloc)
