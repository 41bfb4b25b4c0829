"""Calls another program: the call is put in line in the step's transaction and made soon after."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.journeys.nodes._base import Field, Move, Node, Place, Stay, Traveler, Wrong
from campaigns.models import WebhookCall


class WebhookNode(Node):
    name = "webhook"
    label = gettext_lazy("Webhook")
    icon = "webhook"
    fields = (
        Field(
            "url", gettext_lazy("Address"), "url",
            help=gettext_lazy("Gets a signed POST (Standard Webhooks); the same id is the same call."),
        ),
    )  # fmt: skip

    def check(self, params: Mapping[str, Any]) -> Iterator[Wrong]:
        url = str(params.get("url") or "")
        try:
            parts = urlsplit(url)
            is_fine = parts.scheme in ("https", "http") and bool(parts.hostname) and len(url) <= 500
        except ValueError:
            is_fine = False
        if not is_fine:
            yield "url", _("Write an address that begins with https://.")

    def describe(self, params: Mapping[str, Any]) -> str:
        return urlsplit(str(params.get("url") or "")).hostname or ""

    def decide(self, travelers: Sequence[Traveler], place: Place) -> dict[int, Move | Stay]:
        WebhookCall.objects.bulk_create(
            WebhookCall(
                passage_id=one.id, node=place.node.key, url=str(place.params["url"]), due_at=place.now,
                created_at=place.now,
            )
            for one in travelers
        )  # fmt: skip
        return {one.id: Move("done") for one in travelers}
