"""The message of a delivery as it was sent, byte for byte, or why it is not to be had."""

import json
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.models import Delivery, DeliveryStatus, SentCopy
from campaigns.sending import copies
from personalization.access.problems import ProblemError

SUFFIXES = {"message/rfc822": ".eml", "application/json": ".json", "text/plain; charset=utf-8": ".txt"}


class Gone(ProblemError):
    """It was kept and is no more: the person was erased, or it grew too old."""

    status, slug, title = 410, "message-gone", gettext_lazy("The message is no longer kept")


class NeverSent(ProblemError):
    """There never was a message."""

    status, slug, title = 404, "never-sent", gettext_lazy("Nothing was sent")


@dataclass(frozen=True)
class Sent:
    """`data` as it was handed over, `plain` without what only the wire needs."""

    data: bytes
    sha256: str
    content_type: str
    sent_at: datetime

    @property
    def plain(self) -> bytes:
        """For SMTP without the doubled dots."""
        if self.content_type != "message/rfc822":
            return self.data
        lines = self.data.split(b"\r\n")
        return b"\r\n".join(line[1:] if line.startswith(b".") else line for line in lines)

    @property
    def suffix(self) -> str:
        return SUFFIXES.get(self.content_type, ".bin")


def rerender(delivery: Delivery) -> Sent:
    """Raises Gone (also for a copy that no longer has the digest of that time), NeverSent."""
    copy = SentCopy.objects.select_related("pattern").filter(delivery=delivery).first()
    if delivery.customer_id is None:
        raise Gone(_("The person was erased, and the message with them."))
    if copy is None:
        if delivery.status in (DeliveryStatus.SENT, DeliveryStatus.UNKNOWN):
            raise Gone(_("The message is no longer kept, or was sent before messages were kept."))
        raise NeverSent(_("Nothing was sent."))
    try:
        data = copies.unpack(copy.body, text=copy.pattern.text, digest=copy.digest)
    except copies.Damaged as error:
        raise Gone(_("What is kept is not what was sent: the copy is damaged.")) from error
    channel = delivery.run.content["channel"]
    return Sent(data, bytes(copy.digest).hex(), _content_type(data, channel=channel), copy.kept_at)


def _content_type(data: bytes, *, channel: str) -> str:
    if channel == "email" and not data.startswith(b"{"):
        return "message/rfc822"
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return "application/octet-stream"
    try:
        json.loads(text)
    except ValueError:
        return "text/plain; charset=utf-8"
    return "application/json"
