"""Sends a triggered campaign's message: the ledger's row is written in the same transaction as the step."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.journeys.nodes._base import Field, Move, Node, Place, Stay, Traveler, Wrong
from campaigns.models import Campaign, CampaignKind
from campaigns.triggering import taking_in


class MessageNode(Node):
    name = "message"
    label = gettext_lazy("Message")
    icon = "mail"
    fields = (
        Field(
            "campaign", gettext_lazy("Triggered campaign"), "campaign",
            help=gettext_lazy("Its content, sender and quiet hours hold; its report shows what came of it."),
        ),
    )  # fmt: skip

    def check(self, params: Mapping[str, Any]) -> Iterator[Wrong]:
        found = Campaign.objects.filter(pk=params.get("campaign") or 0, kind=CampaignKind.TRIGGERED).first()
        if found is None:
            yield "campaign", _("Choose a triggered campaign.")

    def describe(self, params: Mapping[str, Any]) -> str:
        found = Campaign.objects.filter(pk=params.get("campaign") or 0).first()
        return found.name if found else _("no campaign")

    def decide(self, travelers: Sequence[Traveler], place: Place) -> dict[int, Move | Stay]:
        run = taking_in.standing_run(int(place.params["campaign"]), is_test=place.is_test)
        if run is None:
            return {one.id: Move("done", "campaign is closed") for one in travelers}
        taking_in.take_in(
            run,
            [
                taking_in.Newcomer(one.customer_id, occurrence=one.id, variables=one.entry)
                for one in travelers
            ],
            now=place.now,
        )
        return {one.id: Move("done") for one in travelers}
