"""Text messages by a Twilio-compatible HTTP service: Twilio, SignalWire, Telnyx' TeXML, jasmin behind an
adapter. The service has no idempotency key, so a call without an answer is unknown and not repeated."""

import base64
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from campaigns.channels._base import Field, Recipient, Sheet
from campaigns.channels._segments import count_segments
from campaigns.channels._texts import TextChannel
from campaigns.transport.accounts import Account
from campaigns.transport.failover import HttpSession
from campaigns.transport.http import Call, Reply, judge
from campaigns.transport.session import Answer, ChannelError, Outgoing, Session
from personalization.access.outbound import ForbiddenAddress, check_url
from personalization.content.errors import Problem

MAX_BODY = 1600
# Twilio's codes of a number that will never take a message, or has said STOP.
GONE = {21211, 21408, 21610, 21612, 21614}
SENDER = re.compile(r"\+[1-9][0-9]{4,14}|[A-Za-z0-9 ]{1,11}|[0-9]{3,8}|MG[0-9a-f]{32}")


class SmsChannel(TextChannel):
    name = "sms"
    address_column = "phone"
    address_pattern = r"^\+[1-9][0-9]{6,14}$"
    shortens_links = True
    test_help = gettext_lazy("A phone number with country code, for example +442079460018.")
    body_label = gettext_lazy("Text")
    body_help = gettext_lazy("Liquid. Letters outside of the GSM alphabet halve the room.")
    account_fields = (
        Field("account_sid", gettext_lazy("Account SID"), is_required=True),
        Field("auth_token", gettext_lazy("Auth token"), is_required=True, is_secret=True),
        Field(
            "sender", gettext_lazy("Sender"), is_required=True,
            help=gettext_lazy("A number with country code, a short code, a name, or a messaging service."),
        ),
        Field("base_url", gettext_lazy("Address of the service"), default="https://api.twilio.com"),
    )  # fmt: skip

    def problems_of_text(
        self, content: Mapping[str, Any], context: Mapping[str, Any] | None = None
    ) -> list[Problem]:
        found = super().problems_of_text(content, context)
        body = content["body"]
        if "unsubscribe_url" not in body and "STOP" not in body.upper():
            text = _("Say how to stop these messages: write “STOP to end”, or {{ unsubscribe_url }}.")
            found.append(Problem("body", text, level="warning"))
        return found

    def preview(self, rendered: Mapping[str, str]) -> dict[str, Any]:
        counted = count_segments(rendered["body"])
        fact = ngettext(
            "%(n)s part, %(encoding)s, %(units)s used, %(room)s left",
            "%(n)s parts, %(encoding)s, %(units)s used, %(room)s left", counted.parts,
        ) % {
            "n": counted.parts, "encoding": counted.encoding, "units": counted.units, "room": counted.room,
        }  # fmt: skip
        return {**super().preview(rendered), "facts": [fact], "parts": counted.parts}

    def compose(
        self, rendered: Mapping[str, str], recipient: Recipient, *, sheet: Sheet, session: Session
    ) -> Outgoing:
        if not self.is_address(recipient.address):
            raise ValueError("the phone number has no country code")
        if not 0 < len(rendered["body"]) <= MAX_BODY:
            raise ValueError("the text is empty or longer than 1,600 characters")
        return Outgoing("", recipient.address, rendered["body"], recipient.message_id)

    def session(self) -> Session:
        return HttpSession(self.name, self)

    def call(self, account: Account, message: Outgoing) -> Call:
        values = account.values
        form = {"To": message.address, "Body": message.data}
        is_service = values["sender"].startswith("MG")
        form["MessagingServiceSid" if is_service else "From"] = values["sender"]
        if settings.SITE_URL.startswith("https://"):
            form["StatusCallback"] = f"{settings.SITE_URL}/hooks/sms/{message.key}"
        user = f"{values['account_sid']}:{values['auth_token']}".encode()
        return Call(
            f"{values.get('base_url') or 'https://api.twilio.com'}/2010-04-01/Accounts/"
            f"{values['account_sid']}/Messages.json",
            urlencode(form).encode(),
            {
                "Authorization": "Basic " + base64.b64encode(user).decode(),
                "Content-Type": "application/x-www-form-urlencoded",
            },
        )

    def answer(self, reply: Reply, message: Outgoing) -> Answer:
        code = _code(reply.body)
        if reply.status in (401, 403) and code not in GONE:
            raise ChannelError(f"the account was refused: HTTP {reply.status}")
        return judge(reply)

    def check_account(self, values: Mapping[str, str]) -> list[tuple[str, str]]:
        found = []
        if not re.fullmatch(r"[A-Za-z0-9-]{5,64}", values.get("account_sid", "")):
            found.append(("account_sid", _("An account SID has letters and digits only.")))
        if not SENDER.fullmatch(values.get("sender", "")):
            text = _("Write a number such as +442079460018, a short code or a name of up to 11 letters.")
            found.append(("sender", text))
        return found + check_base_url(values)


def check_base_url(values: Mapping[str, str], name: str = "base_url") -> list[tuple[str, str]]:
    if not values.get(name):
        return []
    try:
        check_url(values[name])
    except ForbiddenAddress as error:
        return [(name, _("This address cannot be called: %(why)s.") % {"why": error.said})]
    return []


def _code(body: bytes) -> int:
    try:
        found = json.loads(body)
        return int(found.get("code") or 0) if isinstance(found, dict) else 0
    except (ValueError, TypeError):
        return 0
