"""E-mail: multipart text and HTML, one-click unsubscribe, a Message-ID that never changes, DKIM if wanted; by
SMTP (the fast way) or by any Django e-mail backend, django-anymail's providers among them."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.channels._base import Channel, Field, Recipient, Sheet, block_texts
from campaigns.needs import problems_of
from campaigns.transport import dkim, mime
from campaigns.transport.mail import MailLine, MailSession
from campaigns.transport.mail_backend import Letter
from campaigns.transport.session import Outgoing, Session
from campaigns.transport.smtp import Server
from personalization.content.errors import Problem
from personalization.content.html_checks import check_html
from personalization.content.links import add_at_end, rewrite_links
from personalization.content.messages import CompiledMessage, RenderedMessage, check_message, compile_message
from personalization.content.missing import Policy

PARTS = ("subject", "preheader", "body")
MAX_REFERENCE = re.compile(r"[^A-Za-z0-9:._-]+")


class EmailChannel(Channel):
    name = "email"
    address_column = "email"
    # One @, no blanks, quotes, brackets or separators, a dotted domain; the wire form is checked again later.
    # Local part: 64 characters at most, told by what is not there, which
    # takes a third of the time that counting them takes.
    address_pattern = (
        r'^(?![^@]{65})[^\s@<>,;:"()\[\]\\.]+(\.[^\s@<>,;:"()\[\]\\.]+)*'
        r'@[^\s@<>,;:"()\[\]\\.]+(\.[^\s@<>,;:"()\[\]\\.]+)+$'
    )
    test_help = gettext_lazy("An e-mail address.")
    body_label = gettext_lazy("Message")
    body_help = gettext_lazy("MJML or HTML, with Liquid")
    needs_account = False
    needs_sender_address = True
    tracks_opens = True
    fields = (
        Field("subject", gettext_lazy("Subject"), is_required=True),
        Field("preheader", gettext_lazy("Preview text"), max_length=300),
    )
    account_fields = (
        Field(
            "smtp_url", gettext_lazy("SMTP server"), is_secret=True,
            help=gettext_lazy("smtp+tls://user:password@mail.example:587; empty when a provider is named."),
        ),
        Field(
            "backend", gettext_lazy("Provider"),
            help=gettext_lazy("A Django e-mail backend, for example anymail.backends.postmark.EmailBackend."),
        ),
        Field(
            "settings", gettext_lazy("Settings of the provider (JSON)"), is_secret=True, is_long=True,
            max_length=5000, help=gettext_lazy('Its own names in small letters: {"server_token": "…"}.'),
        ),
        Field(
            "webhook_settings", gettext_lazy("Secrets of its webhooks (JSON)"), is_secret=True, is_long=True,
            max_length=5000, help=gettext_lazy('For example {"webhook_secret": "user:password"}.'),
        ),
        Field("bounce_address", gettext_lazy("Address for bounces"), max_length=200),
        Field("dkim_domain", gettext_lazy("DKIM: domain"), max_length=200),
        Field("dkim_selector", gettext_lazy("DKIM: selector"), max_length=60),
        Field(
            "dkim_key", gettext_lazy("DKIM: private key (PEM)"), is_secret=True, is_long=True,
            max_length=10_000,
            help=gettext_lazy("Empty with a domain: a key is made. No domain: a relay signs."),
        ),
    )  # fmt: skip

    def is_address(self, address: str) -> bool:
        try:
            return "." in mime.wire_address(address).rpartition("@")[2]
        except ValueError:
            return False

    def compile_text(self, content: Mapping[str, Any]) -> CompiledMessage:
        parts = {key: content[key] for key in PARTS}
        return compile_message(
            **parts, blocks=block_texts(content), missing=content.get("missing") or Policy.PRINT_NOTHING
        )

    def problems_of_text(
        self, content: Mapping[str, Any], context: Mapping[str, Any] | None = None
    ) -> list[Problem]:
        parts = {key: content[key] for key in PARTS}
        blocks = block_texts(content)
        found = check_message(**parts, context=context, blocks=blocks)
        if any(problem.level == "error" for problem in found):
            return found
        compiled = compile_message(**parts, blocks=blocks)
        return found + problems_of(compiled.needs) + check_html(compiled, subject=content["subject"])

    def finish(
        self, rendered: RenderedMessage, *, track: Callable[[str], str], pixel_url: str, keep: str,
        trap_url: str = "",
    ) -> RenderedMessage:  # fmt: skip
        html = rewrite_links(rendered.html, track, keep=(keep,))
        trap = trap_url if settings.TRAP_LINKS else ""
        return RenderedMessage(
            rendered.subject, add_at_end(html, pixel_url=pixel_url, trap_url=trap), rendered.text
        )

    def as_test(self, rendered: RenderedMessage) -> RenderedMessage:
        return replace(rendered, subject=f"[{_('Test')}] {rendered.subject}")

    def preview(self, rendered: RenderedMessage) -> dict[str, Any]:
        return {
            "subject": rendered.subject, "html": rendered.html, "text": rendered.text,
            "size": len(rendered.html.encode()),
        }  # fmt: skip

    def sample(self, source: str) -> str:
        site = settings.SITE_URL
        data = mime.message(
            _skeleton("", "a@shop.example", "", 0, 0, ""),
            to_name="",
            to_address="a@mail.example",
            subject="",
            text="",
            html=add_at_end(source, pixel_url=f"{site}/t/o/", trap_url=f"{site}/t/s/"),
            message_id="0" * 32,
            unsubscribe_url=f"{site}/t/u/",
            at=datetime(2026, 1, 1, tzinfo=UTC),
        )
        return data.decode(errors="replace").replace("\r\n", "\n")

    def compose(
        self, rendered: RenderedMessage, recipient: Recipient, *, sheet: Sheet, session: Session
    ) -> Outgoing:
        assert isinstance(session, MailSession)
        line, content = session.current(), sheet.content
        address = mime.wire_address(recipient.address)
        sender = _envelope(line, recipient, content["sender_address"])
        if not line.speaks_smtp:
            return Outgoing(sender, address, _letter(rendered, recipient, sheet), recipient.message_id)
        at = int(sheet.at.timestamp())
        signer = line.signer
        data = mime.message(
            _skeleton(
                content["sender_name"], content["sender_address"], content["topic"], sheet.run_id,
                sheet.campaign_id, sheet.variant,
            ),
            to_name=recipient.name,
            to_address=address,
            subject=rendered.subject,
            text=rendered.text,
            html=rendered.html,
            message_id=recipient.message_id,
            unsubscribe_url=recipient.unsubscribe_url,
            at=sheet.at,
            eight_bit=line.session.eight_bit,  # type: ignore[union-attr]
            sign=None if signer is None else lambda whole: signer.sign(whole, at=at),
        )  # fmt: skip
        return Outgoing(sender, address, data, recipient.message_id)

    def session(self) -> MailSession:
        return MailSession()

    def check_account(self, values: Mapping[str, str]) -> list[tuple[str, str]]:
        found = _check_way(values)
        if values.get("bounce_address") and not self.is_address(values["bounce_address"]):
            found.append(("bounce_address", _("This is no e-mail address.")))
        if any(values.get(name) for name in ("dkim_domain", "dkim_selector", "dkim_key")):
            try:
                dkim.signer(
                    values.get("dkim_domain", ""), values.get("dkim_selector", ""), values.get("dkim_key", "")
                )
            except ValueError as error:
                found.append(("dkim_key", _("DKIM cannot sign with this: %(why)s.") % {"why": error}))
        return found


def _check_way(values: Mapping[str, str]) -> list[tuple[str, str]]:
    found = []
    if bool(values.get("smtp_url")) == bool(values.get("backend")):
        found.append(("smtp_url", _("Name either an SMTP server or a provider.")))
    elif values.get("smtp_url"):
        try:
            Server.from_url(values["smtp_url"])
        except ValueError:
            found.append(("smtp_url", _("Write smtp://host:port, smtp+tls://… or smtp+ssl://….")))
    else:
        try:
            import_string(values["backend"])
        except ImportError:
            found.append(("backend", _("There is no such e-mail backend here.")))
    for name in ("settings", "webhook_settings"):
        try:
            fine = isinstance(json.loads(values.get(name) or "{}"), dict)
        except ValueError:
            fine = False
        if not fine:
            found.append((name, _("This must be a JSON object.")))
    return found


def _envelope(line: MailLine, recipient: Recipient, sender_address: str) -> str:
    """MAIL FROM: an address per message, by which a report names it even when it quotes nothing."""
    if not line.bounce_address:
        return _sender(sender_address)
    local, _at, domain = line.bounce_address.rpartition("@")
    return mime.wire_address(f"{local}+{recipient.message_id}@{domain}")


@lru_cache(maxsize=64)
def _sender(address: str) -> str:
    return mime.wire_address(address)


def _letter(rendered: RenderedMessage, recipient: Recipient, sheet: Sheet) -> Letter:
    content = sheet.content
    sender = mime.wire_address(content["sender_address"])
    domain = sender.rpartition("@")[2]
    label = re.sub(r"[^a-z0-9-]+", "-", content["topic"].lower()).strip("-") or "list"
    reference = f"{sheet.variant}:{sheet.campaign_id}:{sheet.run_id}:bespoke"
    headers = {
        "Message-ID": f"<{recipient.message_id}@{domain}>",
        "List-Id": f"<{label}.{domain}>",
        "Feedback-ID": MAX_REFERENCE.sub("-", reference),
        "List-Unsubscribe": f"<{recipient.unsubscribe_url}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    return Letter(
        _mailbox(content["sender_name"], sender),
        _mailbox(recipient.name, mime.wire_address(recipient.address)),
        mime.CONTROLS.sub(" ", rendered.subject).strip(), rendered.text, rendered.html, headers,
        {"message_id": recipient.message_id},
    )  # fmt: skip


def _mailbox(name: str, address: str) -> str:
    name = mime.CONTROLS.sub(" ", name).strip()[:200]
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}" <{address}>' if name else address


@lru_cache(maxsize=256)
def _skeleton(
    sender_name: str, sender_address: str, topic: str, run_id: int, campaign_id: int, variant: str
) -> Any:
    return mime.skeleton(
        sender_name=sender_name,
        sender_address=sender_address,
        list_id=topic,
        feedback_id=f"{variant}:{campaign_id}:{run_id}:bespoke",
        seed=f"{run_id}:{variant}",
    )
