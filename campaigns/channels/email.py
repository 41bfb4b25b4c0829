"""E-mail over SMTP: multipart text and HTML, one-click unsubscribe, a Message-ID that never changes."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from django.conf import settings

from campaigns.channels._base import Channel, Outgoing, Recipient, Session, Sheet
from campaigns.sending import mime
from campaigns.sending.smtp import Server, SmtpSession
from personalization.content.links import add_open_pixel, rewrite_links
from personalization.content.messages import CompiledMessage, RenderedMessage, compile_message


class EmailChannel(Channel):
    name = "email"
    address_column = "email"
    # One @, no blanks, quotes, brackets or separators, a dotted domain; the wire form is checked again later.
    address_pattern = r'^[^\s@<>,;:"()\[\]\\]{1,64}@[^\s@<>,;:"()\[\]\\.]+(\.[^\s@<>,;:"()\[\]\\.]+)+$'

    def is_address(self, address: str) -> bool:
        try:
            return "." in mime.wire_address(address).rpartition("@")[2]
        except ValueError:
            return False

    def compile(self, content: Mapping[str, str]) -> CompiledMessage:
        return compile_message(
            subject=content["subject"], preheader=content["preheader"], body=content["body"]
        )

    def finish(
        self, rendered: RenderedMessage, *, track: Callable[[str], str], pixel_url: str, keep: str
    ) -> RenderedMessage:
        html = add_open_pixel(rewrite_links(rendered.html, track, keep=(keep,)), pixel_url)
        return RenderedMessage(rendered.subject, html, rendered.text)

    def compose(
        self, rendered: RenderedMessage, recipient: Recipient, *, sheet: Sheet, session: Session
    ) -> Outgoing:
        content = sheet.content
        address = mime.wire_address(recipient.address)
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
            eight_bit=not isinstance(session, SmtpSession) or session.eight_bit,
        )  # fmt: skip
        return Outgoing(mime.wire_address(content["sender_address"]), address, data)

    def session(self) -> SmtpSession:
        return SmtpSession(server())


def server() -> Server:
    """Where EMAIL_URL points. Raises ValueError when it cannot be read."""
    return Server.from_url(settings.EMAIL_URL, timeout=settings.SEND_TIMEOUT_SECONDS)


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
