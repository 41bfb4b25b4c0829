"""What the channels of plain text share: parts in Liquid, a tracked link, a card as preview."""

import json
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any, ClassVar
from urllib.parse import urlsplit

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.channels._addresses import replace_addresses
from campaigns.channels._base import Channel, Field, Recipient, Sheet, block_texts
from campaigns.needs import problems_of
from campaigns.transport.session import Outgoing, Session
from personalization.content.errors import Problem, RenderError
from personalization.content.missing import Policy
from personalization.content.texts import CompiledTexts, check_texts, compile_texts
from personalization.customers import selectors as customers

MAX_DEVICES = 20  # of one person, the newest: nobody reads on more


class TextChannel(Channel):
    """`body` and those of `fields` in `liquid_fields` are Liquid; the part `link` is tracked, and where
    links are shortened every address in the body."""

    liquid_fields: ClassVar[tuple[str, ...]] = ("subject", "link", "image")

    def parts(self, content: Mapping[str, Any]) -> dict[str, str]:
        fields = content.get("fields") or {}
        named = {field.name for field in self.fields}
        parts = {"body": content["body"]}
        if "subject" in named:
            parts["subject"] = content["subject"]
        parts.update({n: str(fields.get(n, "")) for n in self.liquid_fields if n in named and n != "subject"})
        return parts

    def compile_text(self, content: Mapping[str, Any]) -> CompiledTexts:
        return compile_texts(
            self.parts(content),
            blocks=block_texts(content),
            missing=content.get("missing") or Policy.PRINT_NOTHING,
        )

    def problems_of_text(
        self, content: Mapping[str, Any], context: Mapping[str, Any] | None = None
    ) -> list[Problem]:
        parts, blocks = self.parts(content), block_texts(content)
        found = check_texts(parts, context, blocks=blocks)
        if not any(problem.level == "error" for problem in found):
            found += problems_of(compile_texts(parts, blocks=blocks).needs)
        if not content["body"].strip():
            found.append(Problem("body", _("The message is empty.")))
        found += [
            Problem(field.name, _("%(field)s is missing.") % {"field": field.label})
            for field in self.fields
            if field.is_required and not self._value(content, field.name).strip()
        ]
        return found

    def _value(self, content: Mapping[str, Any], name: str) -> str:
        return content["subject"] if name == "subject" else str((content.get("fields") or {}).get(name, ""))

    def finish(
        self,
        rendered: Mapping[str, str],
        *,
        track: Callable[[str], str],
        pixel_url: str,
        keep: str,
        trap_url: str = "",
    ) -> dict[str, str]:
        parts = dict(rendered)
        link = parts.get("link", "")
        if link:
            if not link.startswith(("https://", "http://")):
                raise RenderError("the link is not a web address")
            parts["link"] = link if link == keep else track(link)
        if self.shortens_links:
            parts["body"] = replace_addresses(parts["body"], lambda url: url if url == keep else track(url))
        if (image := parts.get("image", "")) and not image.startswith("https://"):
            raise RenderError("the picture is not an https address")
        return parts

    def as_test(self, rendered: Mapping[str, str]) -> Mapping[str, str]:
        parts = self.finish(rendered, track=str, pixel_url="", keep="")
        first = "subject" if "subject" in parts else "body"
        return {**parts, first: f"[{_('Test')}] {parts[first]}"}

    def preview(self, rendered: Mapping[str, str]) -> dict[str, Any]:
        return {
            "card": {
                "title": rendered.get("subject", ""), "text": rendered["body"],
                "link": rendered.get("link", ""), "image": rendered.get("image", ""),
            },
            "facts": [],
        }  # fmt: skip


class PushChannel(TextChannel):
    """Its addresses are devices of customers, all of which get the message; so a test names a customer."""

    test_help = gettext_lazy("The id of a customer, for example your own profile; it goes to their device.")

    @abstractmethod
    def devices(self, customer_ids: Sequence[int]) -> dict[int, list[Any]]:
        """Of each customer who has some, the newest first, as JSON can carry them."""

    @abstractmethod
    def notification(self, rendered: Mapping[str, str], recipient: Recipient) -> Any:
        """What all devices are to show; bytes or JSON. Raises ValueError."""

    @abstractmethod
    def part(self, device: Any, notification: Any) -> tuple[str, Any]:
        """Address and data for one device. Raises ValueError for one that cannot be written to."""

    def addresses(self, profiles: Mapping[int, Mapping[str, Any]]) -> dict[int, str]:
        found = self.devices(list(profiles))
        return {pk: json.dumps(devices[:MAX_DEVICES]) for pk, devices in found.items()}

    def compose(
        self, rendered: Mapping[str, str], recipient: Recipient, *, sheet: Sheet, session: Session
    ) -> Outgoing:
        shown, parts, trouble = self.notification(rendered, recipient), [], None
        for device in json.loads(recipient.address):
            try:
                address, data = self.part(device, shown)
            except ValueError as error:
                trouble = error
                continue
            parts.append(Outgoing("", address, data, recipient.message_id, device=device_name(address)))
        if not parts:
            raise trouble or ValueError("there is no device")
        return Outgoing("", "", shown, recipient.message_id, parts=tuple(parts))

    def test_address(self, to: str) -> str:
        customer = customers.find(to)
        return self.addresses({customer.pk: {}}).get(customer.pk, "") if customer else ""


def device_name(address: str) -> str:
    """Says which service and, by eight digits of a hash, which device; nobody can write to it by that."""
    host = urlsplit(address).hostname or "app"
    return f"{host} {sha256(address.encode()).hexdigest()[:8]}"


def push_fields(*, subject: Any, link: Any, image: Any) -> tuple[Field, ...]:
    return (
        Field("subject", subject, max_length=200, is_required=True),
        Field("link", link, max_length=1000),
        Field("image", image, max_length=1000),
    )
