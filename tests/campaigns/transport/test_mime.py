"""Spliced messages beside the ones Django's own builder makes of the same values."""

import email
import email.policy
from datetime import UTC, datetime
from email.header import decode_header, make_header
from email.headerregistry import Address
from email.utils import getaddresses
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives
from hypothesis import example, given, settings
from hypothesis import strategies as st

from campaigns.transport import mime

AT = datetime(2026, 11, 1, 12, 30, tzinfo=UTC)
SHAPE = mime.skeleton(
    sender_name="Café Größe", sender_address="shop@shop.example", list_id="marketing",
    feedback_id="m0:1:1:bespoke", seed="1:m0",
)  # fmt: skip
EXPECTED = [
    "From", "List-Id", "Feedback-ID", "List-Unsubscribe-Post", "MIME-Version", "Content-Type", "To",
    "Subject",
    "Date", "Message-ID", "List-Unsubscribe",
]  # fmt: skip
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=400)
bodies = st.one_of(
    texts, st.text(alphabet=".\r\n \tab=é", max_size=300), st.text("x", min_size=985, max_size=1010)
)


def build(**values: Any) -> bytes:
    given_ = {
        "to_name": "Ann", "to_address": "ann@example.com", "subject": "Hello", "text": "Hi",
        "html": "<p>Hi</p>",
        "message_id": "0" * 32, "unsubscribe_url": "https://shop.example/t/u/x", "at": AT,
    }  # fmt: skip
    return mime.message(SHAPE, **{**given_, **values})


def unstuffed(data: bytes) -> bytes:
    return b"\r\n".join(line[1:] if line.startswith(b".") else line for line in data.split(b"\r\n"))


def parsed(data: bytes) -> Any:
    return email.message_from_bytes(unstuffed(data), policy=email.policy.default)


def plain(text: str) -> str:
    return text.replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")


def content(part: Any) -> str:
    return part.get_payload(decode=True).decode().replace("\r\n", "\n")


@settings(max_examples=200, deadline=None)
@given(subject=texts, name=texts, text=bodies, html=bodies, eight_bit=st.booleans())
@example(subject="a\r\nBcc: x@y.example", name="x\nTo: z@z.example", text="..\n.", html=".", eight_bit=True)
@example(subject="=?utf-8?q?a?=", name='"Ann" \\ (x)', text="x" * 2000, html="é" * 600, eight_bit=True)
def test_nothing_a_customer_brings_changes_the_shape(
    subject: str, name: str, text: str, html: str, eight_bit: bool
) -> None:
    data = build(subject=subject, to_name=name, text=text, html=html, eight_bit=eight_bit)
    assert b"\n" not in data.replace(b"\r\n", b"") and b"\r" not in data.replace(b"\r\n", b"")
    assert b"\r\n.\r\n" not in data and data.endswith(b"\r\n")
    assert all(len(line) <= 998 for line in data.split(b"\r\n"))
    assert eight_bit or data.isascii()
    message = parsed(data)
    assert message.keys() == EXPECTED
    assert message.defects == []
    parts = list(message.iter_parts())
    assert [part.get_content_type() for part in parts] == ["text/plain", "text/html"]
    assert content(parts[0]) == plain(text) and content(parts[1]) == plain(html)


def decoded(message: Any, header: str) -> Any:
    """By RFC 2047 on the raw text: the modern parser of Python 3.11 keeps blanks between encoded words."""
    raw = dict(message.raw_items())[header].replace("\r\n", "").replace("\n", "")
    if header == "Subject":
        return str(make_header(decode_header(raw))).strip()
    return [(str(make_header(decode_header(name))), address) for name, address in getaddresses([raw])]


words = st.text(st.sampled_from("abz ABZ09.,'\"-_()&äöü李雷 é😀:;<>@"), max_size=120).map(
    lambda text: " ".join(text.split())
)


@settings(max_examples=200, deadline=None)
@given(subject=words, name=words.map(lambda text: text[:60].strip()), text=words.filter(bool))
def test_it_reads_as_the_message_django_builds(subject: str, name: str, text: str) -> None:
    ours = parsed(build(subject=subject, to_name=name, text=text, html=f"<p>{text}</p>"))
    mail = EmailMultiAlternatives(
        subject, text, '"Café Größe" <shop@shop.example>',
        [str(Address(name, addr_spec="ann@example.com"))] if name else ["ann@example.com"],
    )  # fmt: skip
    mail.attach_alternative(f"<p>{text}</p>", "text/html")
    theirs = email.message_from_bytes(mail.message().as_bytes(), policy=email.policy.default)
    assert decoded(ours, "Subject") == decoded(theirs, "Subject") == subject
    for header in ("From", "To"):
        assert decoded(ours, header) == decoded(theirs, header)
    for kind in ("plain", "html"):
        assert ours.get_body((kind,)).get_content().strip() == theirs.get_body((kind,)).get_content().strip()


@pytest.mark.parametrize(
    "address",
    ["a@b\r\nBcc: c@d", "a b@c.example", "<a@b.example>", "a,b@c.example", "a@b@c.example", "@c.example",
     "a@",
     "a@-c.example", "a@c..example", ".a@c.example", "a..b@c.example", "a" * 65 + "@c.example",
     "a@c.example\0",
     '"a b"@c.example', "a@[127.0.0.1]", "a@" + "b." * 130 + "c"],
)  # fmt: skip
def test_what_is_not_plainly_one_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError):
        mime.wire_address(address)


def test_an_international_domain_becomes_ascii() -> None:
    assert mime.wire_address("info@bücher.example") == "info@xn--bcher-kva.example"


def test_one_click_headers_are_there() -> None:
    message = parsed(build())
    assert message["List-Unsubscribe"] == "<https://shop.example/t/u/x>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["List-Id"] == "<marketing.shop.example>"
    assert message["Message-ID"] == f"<{'0' * 32}@shop.example>"


def test_minified_html_is_broken_inside_its_tags_only() -> None:
    html = "<table>" + "<tr><td style='color:red'>Größe 李</td></tr>" * 400 + "</table>"
    head, body = mime.part(html, eight_bit=True, is_html=True)
    assert head == b"8bit" and max(map(len, body.split(b"\r\n"))) <= 998
    assert body.decode().replace("\r\n", " ") == html


def test_only_the_line_that_is_too_long_is_broken() -> None:
    """Also where its one tag stands far before the place at which it would best be broken."""
    short, long = "<td class='a'>" * 60, "<b>x</b><p class='" + "y" * 980 + "'>"
    body = mime.part(f"{short}\n{long}\n{short}", eight_bit=True, is_html=True)[1]
    assert body.decode().split("\r\n") == [short, "<b>x</b><p", long[11:], short]


@pytest.mark.parametrize("html", ["<p>" + "x" * 5000 + "</p>", "é" * 5000, "<td " * 3 + "y" * 3000])
def test_html_that_cannot_be_broken_is_encoded(html: str) -> None:
    assert content(list(parsed(build(html=html)).iter_parts())[1]).replace("\n", " ") == html


@pytest.mark.parametrize("place", range(4))
@pytest.mark.parametrize(("length", "encoding"), [(990, b"7bit"), (991, b"quoted-printable")])
def test_only_a_line_that_is_too_long_is_encoded(place: int, length: int, encoding: bytes) -> None:
    lines = ["x" * 990, "", "y" * 700, "z" * 289]
    lines[place] = "w" * length
    for end in ("", "\n"):
        assert mime.part("\n".join(lines) + end, eight_bit=True)[0] == encoding


@given(st.lists(st.sampled_from([0, 1, 500, 989, 990, 991, 1500]), min_size=1, max_size=6))
def test_one_line_that_is_too_long_is_found_wherever_it_stands(lengths: list[int]) -> None:
    data = b"\n".join(b"x" * length for length in lengths)
    assert mime.has_short_lines(data) == (max(lengths) <= 990)


@settings(max_examples=300, deadline=None)
@given(text=bodies, eight_bit=st.booleans(), is_html=st.booleans())
@example(text=".\n..\n.x\n", eight_bit=True, is_html=False)
@example(text="<p>" + "x" * 700 + "<td .y>" * 200 + "\n.", eight_bit=True, is_html=True)
def test_a_stuffed_part_is_the_part_with_its_dots_doubled(text: str, eight_bit: bool, is_html: bool) -> None:
    head, body = mime.part(text, eight_bit=eight_bit, is_html=is_html)
    doubled = b"\r\n".join(b"." + line if line.startswith(b".") else line for line in body.split(b"\r\n"))
    assert mime.part(text, eight_bit=eight_bit, is_html=is_html, is_stuffed=True) == (head, doubled)
