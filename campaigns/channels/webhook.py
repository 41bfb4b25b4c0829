"""One signed POST for each customer to a system of your own. Source: standardwebhooks.com, version 1.

The receiver tells repetitions by `webhook-id`, so a call without an answer may be repeated.
"""

import base64
import json
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from standardwebhooks import Webhook

from campaigns.channels._base import Field, Recipient, Sheet
from campaigns.channels._texts import TextChannel
from campaigns.channels.sms import check_base_url
from campaigns.transport.accounts import Account
from campaigns.transport.failover import HttpSession
from campaigns.transport.http import Call, Reply, judge
from campaigns.transport.session import Answer, ChannelError, Outgoing, Session
from personalization.content.errors import Problem


class WebhookChannel(TextChannel):
    name = "webhook"
    address_column = "external_id"
    longest_address = 200
    tracks_clicks = False
    test_help = gettext_lazy("The customer's id that your system is told; the call says that it is a test.")
    body_label = gettext_lazy("Values, one “name: value” a line")
    body_help = gettext_lazy("Liquid. Every value is sent as text, beside the customer's id.")
    account_fields = (
        Field("url", gettext_lazy("Address that is called"), is_required=True, max_length=1000),
        Field(
            "secret", gettext_lazy("Secret (whsec_…)"), is_required=True, is_secret=True,
            help=gettext_lazy("Signs each call; 24 to 64 bytes in base64."),
        ),
    )  # fmt: skip

    def problems_of_text(
        self, content: Mapping[str, Any], context: Mapping[str, Any] | None = None
    ) -> list[Problem]:
        found = super().problems_of_text(content, context)
        for number, line in enumerate(content["body"].split("\n"), start=1):
            bare = line.strip()
            if bare and not bare.startswith("{%") and ":" not in bare:
                found.append(Problem("body", _("Write “name: value”."), number))
        return found

    def finish(
        self,
        rendered: Mapping[str, str],
        *,
        track: Callable[[str], str],
        pixel_url: str,
        keep: str,
        trap_url: str = "",
    ) -> dict[str, str]:
        return dict(rendered)

    def as_test(self, rendered: Mapping[str, str]) -> Mapping[str, str]:
        return rendered  # the call itself says that it is a test

    def compose(
        self, rendered: Mapping[str, str], recipient: Recipient, *, sheet: Sheet, session: Session
    ) -> Outgoing:
        pairs = (line.partition(":") for line in rendered["body"].split("\n") if ":" in line)
        data = {
            "type": "campaign.message",
            "timestamp": sheet.at.isoformat(),
            "data": {
                "customer": recipient.address, "message_id": recipient.message_id, "run": sheet.run_id,
                "campaign": sheet.campaign_id, "variant": sheet.variant, "is_test": sheet.run_id == 0,
                "values": {name.strip(): value.strip() for name, _colon, value in pairs},
            },
        }  # fmt: skip
        return Outgoing("", recipient.address, json.dumps(data), recipient.message_id)

    def session(self) -> Session:
        return HttpSession(self.name, self)

    def call(self, account: Account, message: Outgoing) -> Call:
        headers = sign(message.data, secret=account.values["secret"], key=f"msg_{message.key}")
        return Call(account.values["url"], message.data.encode(), headers, is_keyed=True)

    def answer(self, reply: Reply, message: Outgoing) -> Answer:
        if reply.status in (401, 404, 410):
            raise ChannelError(f"the receiver refuses every call: HTTP {reply.status}")
        return judge(reply)

    def check_account(self, values: Mapping[str, str]) -> list[tuple[str, str]]:
        found = check_base_url(values, "url")
        if not is_secret(values.get("secret", "")):
            text = _("A secret is whsec_ and 24 to 64 bytes in base64, for example %(example)s.")
            found.append(("secret", text % {"example": new_secret()}))
        return found


def sign(body: str, *, secret: str, key: str, at: datetime | None = None) -> dict[str, str]:
    """The headers of a Standard Webhooks call."""
    at = at or datetime.now(UTC)
    return {
        "Content-Type": "application/json",
        "webhook-id": key,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(key, at, body),
    }


def new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def is_secret(text: str) -> bool:
    try:
        return text.startswith("whsec_") and 24 <= len(base64.b64decode(text[6:], validate=True)) <= 64
    except ValueError:
        return False
