"""Template messages by the WhatsApp Cloud API, or a service that speaks like it.

The wording is approved by the provider beforehand; we name the template and give its values. The service has
no idempotency key, so a call without an answer is unknown and not repeated.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.channels._base import Field, Recipient, Sheet
from campaigns.channels._texts import TextChannel
from campaigns.channels.sms import check_base_url
from campaigns.transport.accounts import Account
from campaigns.transport.failover import HttpSession
from campaigns.transport.http import Call, Reply, judge
from campaigns.transport.session import Answer, ChannelError, Outgoing, Session
from personalization.content.errors import Problem

LATER = {4, 80007, 130429, 131048, 131056}  # limits of speed
ACCOUNT = {0, 3, 10, 190, 131031, 131005}  # the token or the account as a whole
TEMPLATE = re.compile(r"[a-z0-9_]{1,512}")


class WhatsAppChannel(TextChannel):
    name = "whatsapp"
    address_column = "phone"
    address_pattern = r"^\+[1-9][0-9]{6,14}$"
    shortens_links = True
    tracks_opens = True  # the service tells what was read
    test_help = gettext_lazy("A phone number with country code, for example +442079460018.")
    body_label = gettext_lazy("Values of the template, one a line")
    body_help = gettext_lazy("Liquid. The first line fills {{1}}, the second {{2}}, and so on.")
    fields = (
        Field("template", gettext_lazy("Name of the template"), is_required=True, max_length=512),
        Field("template_language", gettext_lazy("Language of the template"), default="en", max_length=10),
    )
    account_fields = (
        Field("phone_number_id", gettext_lazy("Id of the phone number"), is_required=True),
        Field("access_token", gettext_lazy("Access token"), is_required=True, is_secret=True),
        Field(
            "app_secret",
            gettext_lazy("Secret of the app"),
            is_secret=True,
            help=gettext_lazy("With it we believe what the service tells of messages, and answers to them."),
        ),
        Field("base_url", gettext_lazy("Address of the service"), default="https://graph.facebook.com/v21.0"),
    )

    def problems_of_text(
        self, content: Mapping[str, Any], context: Mapping[str, Any] | None = None
    ) -> list[Problem]:
        found = [
            p
            for p in super().problems_of_text(content, context)
            if content["body"].strip() or p.field != "body"
        ]
        name = self._value(content, "template")
        if name and not TEMPLATE.fullmatch(name):
            found.append(Problem("template", _("A template's name has small letters, digits and _.")))
        return found

    def compile_text(self, content: Mapping[str, Any]) -> Any:
        compiled = super().compile_text(content)
        return _Named(compiled, self._value(content, "template"), self._value(content, "template_language"))

    def as_test(self, rendered: Any) -> Any:
        return rendered  # the wording is the provider's: a mark of ours would not be the approved template

    def preview(self, rendered: Mapping[str, str]) -> dict[str, Any]:
        shown = super().preview(rendered)
        shown["card"]["title"] = rendered["template"]
        return shown

    def compose(
        self, rendered: Mapping[str, str], recipient: Recipient, *, sheet: Sheet, session: Session
    ) -> Outgoing:
        if not self.is_address(recipient.address):
            raise ValueError("the phone number has no country code")
        # A value may hold neither line breaks nor runs of blanks.
        values = [" ".join(line.split()) for line in rendered["body"].split("\n") if line.strip()]
        template: dict[str, Any] = {
            "name": rendered["template"], "language": {"code": rendered["language"] or "en"},
        }  # fmt: skip
        if values:
            parameters = [{"type": "text", "text": value} for value in values]
            template["components"] = [{"type": "body", "parameters": parameters}]
        data = {
            "messaging_product": "whatsapp", "to": recipient.address.lstrip("+"), "type": "template",
            "template": template, "biz_opaque_callback_data": recipient.message_id,
        }  # fmt: skip
        return Outgoing("", recipient.address, data, recipient.message_id)

    def session(self) -> Session:
        return HttpSession(self.name, self)

    def call(self, account: Account, message: Outgoing) -> Call:
        base = account.values.get("base_url") or "https://graph.facebook.com/v21.0"
        return Call(
            f"{base}/{account.values['phone_number_id']}/messages",
            json.dumps(message.data).encode(),
            {
                "Authorization": f"Bearer {account.values['access_token']}",
                "Content-Type": "application/json",
            },
        )

    def answer(self, reply: Reply, message: Outgoing) -> Answer:
        code = _code(reply.body)
        if reply.status == 401 or (reply.status >= 400 and code in ACCOUNT):
            raise ChannelError(f"the account was refused: HTTP {reply.status}, code {code}")
        found = judge(reply)
        if found.kind == "refused" and code in LATER:
            return Answer("later", found.detail, reply.retry_after)
        return found

    def check_account(self, values: Mapping[str, str]) -> list[tuple[str, str]]:
        found = []
        if not re.fullmatch(r"[0-9]{5,30}", values.get("phone_number_id", "")):
            found.append(("phone_number_id", _("The id of a phone number has digits only.")))
        return found + check_base_url(values)


class _Named:
    def __init__(self, compiled: Any, template: str, language: str) -> None:
        self._compiled, self._template, self._language = compiled, template, language
        self.needs, self.source = compiled.needs, compiled.source

    def render(self, context: Mapping[str, Any]) -> dict[str, str]:
        found = self._compiled.render(context)
        return {**found, "template": self._template, "language": self._language}

    def uses(self, name: str) -> bool:
        return bool(self._compiled.uses(name))


def _code(body: bytes) -> int:
    try:
        return int(json.loads(body)["error"]["code"])
    except (ValueError, TypeError, KeyError):
        return -1
