"""Reports of mail servers, written here as the servers write them; and a public corpus where it is."""

import os
from pathlib import Path

import pytest

from campaigns.feedback.classify import classify
from campaigns.feedback.reports import read_report

NUMBER = "0000000004d2aaaaaaaaaaaaaaaaaaaa"


def dsn(*, status: str, action: str = "failed", diagnostic: str, final: str = "Ann@Example.com") -> bytes:
    """RFC 3464, as Postfix makes it."""
    return f"""Return-Path: <>
From: MAILER-DAEMON@mx.shop.example (Mail Delivery System)
To: bounces+{NUMBER}@shop.example
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="B"

--B
Content-Type: text/plain

This is the mail system at host mx.shop.example.

<{final}>: host mx.example.com said: {diagnostic}

--B
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.shop.example

Final-Recipient: rfc822; {final}
Original-Recipient: rfc822;{final}
Action: {action}
Status: {status}
Remote-MTA: dns; mx.example.com
Diagnostic-Code: smtp; {diagnostic}

--B
Content-Type: text/rfc822-headers

From: shop@shop.example
To: {final}
Message-ID: <{NUMBER}@shop.example>

--B--
""".encode()


@pytest.mark.parametrize(
    ("status", "diagnostic", "kind"),
    [
        ("5.1.1", "550 5.1.1 <ann@example.com>: Recipient address rejected: User unknown", "hard"),
        ("5.0.0", "550 No such user here", "hard"),
        ("5.2.1", "550 5.2.1 The email account that you tried to reach is disabled", "hard"),
        ("5.4.1", "550 5.4.1 Recipient address rejected: Access denied. AS(201806281)", "hard"),
        ("5.2.2", "552 5.2.2 The mailbox is over its quota", "soft"),
        ("5.2.1", "550 5.2.1 The user is receiving mail at a rate that prevents delivery", "soft"),
        ("4.2.2", "452 4.2.2 mailbox full", "soft"),
        ("4.4.1", "connect to mx.example.com: Connection timed out", "soft"),
        ("5.4.4", "Host or domain name not found", "soft"),
        ("5.7.1", "550 5.7.1 Service unavailable; client host blocked using Spamhaus", "block"),
        (
            "5.7.26",
            "550-5.7.26 Unauthenticated email from shop.example is not accepted due to DMARC",
            "block",
        ),
        ("5.3.4", "552 5.3.4 Message size exceeds fixed limit", "block"),
        ("5.0.0", "554 delivery error", "soft"),
    ],
)
def test_a_structured_report_is_read_and_classed(status: str, diagnostic: str, kind: str) -> None:
    report = read_report(dsn(status=status, diagnostic=diagnostic))
    (failure,) = report.failures
    assert report.kind == "bounce" and report.numbers == (NUMBER,)
    assert (failure.address, failure.kind, failure.status) == ("ann@example.com", kind, status)


def test_a_delay_is_not_the_end() -> None:
    report = read_report(dsn(status="4.4.1", action="delayed", diagnostic="timed out"))
    assert not report.failures[0].is_final and report.failures[0].kind == "soft"


def test_a_confirmation_of_delivery_is_no_bounce() -> None:
    report = read_report(dsn(status="2.1.5", action="delivered", diagnostic="250 ok"))
    assert report.kind == "delivered" and report.delivered == ("ann@example.com",)


ARF = f"""From: complaints@isp.example
To: abuse@shop.example
Subject: Complaint
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="B"

--B
Content-Type: text/plain

This is an email abuse report.

--B
Content-Type: message/feedback-report

Feedback-Type: KIND
User-Agent: SomeGenerator/1.0
Version: 1

--B
Content-Type: message/rfc822

From: shop@shop.example
Message-ID: <{NUMBER}@shop.example>
Subject: Hi

Hello
--B--
"""


@pytest.mark.parametrize(
    ("said", "kind"),
    [("abuse", "complaint"), ("fraud", "complaint"), ("not-spam", "other"), ("auth-failure", "other")],
)
def test_only_feedback_against_us_is_a_complaint(said: str, kind: str) -> None:
    report = read_report(ARF.replace("KIND", said).encode())
    assert report.kind == kind and NUMBER in report.numbers


def plain(
    text: str, *, sender: str = "MAILER-DAEMON@mx.example", subject: str = "failure notice", **more: str
) -> bytes:
    headers = {"From": sender, "To": "bounces@shop.example", "Subject": subject, **more}
    head = "\n".join(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())
    return f"{head}\n\n{text}".encode()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Hi. This is the qmail-send program at mx.example.\nI'm afraid I wasn't able to deliver your message"
         " to the following addresses.\n\n<ann@example.com>:\n192.0.2.1 does not like recipient.\n"
         "Remote host said: 550 no such user\nGiving up.\n\n--- Below this line is a copy of the message.\n",
         "hard"),
        ("This message was created automatically by mail delivery software.\n\nA message that you sent could"
         " not be delivered. The following address(es) failed:\n\n  ann@example.com\n    mailbox is full:"
         " retry timeout exceeded\n\n------ This is a copy of the message ------\n", "soft"),
        ("Your message\n\n  To: Ann\n  Subject: Hi\n\ndid not reach the following recipient(s):\n\n"
         "ann@example.com on Mon\n    The recipient name is not recognized\n", "hard"),
        ("您的邮件未能送达：\nann@example.com\n550 用户不存在\n", "hard"),
    ],
)  # fmt: skip
def test_reports_without_structure_are_read_by_rules(text: str, kind: str) -> None:
    report = read_report(plain(text))
    assert report.kind == "bounce" and report.failures[0].address == "ann@example.com"
    assert report.failures[0].kind == kind


@pytest.mark.parametrize(
    "subject", ["Out of office: back on Monday", "Automatic reply: Hi", "自动回复：你好"]
)
def test_an_automatic_answer_is_no_bounce(subject: str) -> None:
    mail = plain(
        "I am away. For urgent matters write to bob@example.com.", sender="ann@example.com", subject=subject
    )
    assert read_report(mail).kind == "auto_reply"


def test_an_answer_of_a_person_is_a_reply() -> None:
    mail = plain(
        "No thank you", sender="ann@example.com", subject="Re: Hi", In_Reply_To=f"<{NUMBER}@shop.example>"
    )
    assert read_report(mail).kind == "reply" and read_report(plain("x", sender="a@b.example")).kind != "reply"


@pytest.mark.parametrize(
    "raw", [b"", b"\xff\xfe\x00", b"Content-Type: multipart/report\n\n--", b"Subject: =?x?y?z?=\n\n"]
)
def test_nonsense_is_other(raw: bytes) -> None:
    assert read_report(raw).kind == "other"


def test_what_is_not_understood_is_never_permanent() -> None:
    assert classify("550 something happened at the other side of the world today") == "soft"


def test_more_addresses_are_found_than_by_the_library() -> None:
    """Sisimai's public set of e-mails: flufl.bounce finds the address in 501 of its 629 mails (79.7 %)."""
    folder = Path(os.environ.get("BOUNCE_CORPUS", "/nonexistent"))
    if not folder.is_dir():
        pytest.skip("set BOUNCE_CORPUS to maildir/bsd of the repository sisimai/set-of-emails")
    mails = sorted(folder.glob("*.eml"))
    found = [any(one.address for one in read_report(mail.read_bytes()).failures) for mail in mails]
    assert len(mails) == 629 and sum(found) / len(mails) > 0.93
