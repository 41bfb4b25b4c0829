"""Why a customer would get a message that is not launched yet, and what would stand in it: the decisions in
the order in which a sending makes them, asked now and writing nothing down.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from campaigns.models import Campaign, Message, TopicRule
from campaigns.schedule.zones import zone_of
from campaigns.why.answers import PASSED, STOPPED, UNKNOWN, Decision
from experiments.traffic.holdouts import global_members
from personalization.customers import selectors as customers
from personalization.segments import selectors as segments
from personalization.segments.definition import DefinitionError
from personalization.segments.models import SegmentVersion


class Trail:
    """The decisions about some customers; what they rest on is asked once for all of them."""

    def __init__(
        self, campaign: Campaign, message: Message, customer_ids: Collection[int], *, at: datetime
    ) -> None:
        channel, topic = campaign.channel, campaign.topic
        self._campaign, self._at = campaign, at
        self._version, self._members = _members(campaign, customer_ids, at)
        self._held = global_members(customer_ids)
        self._variant = _variant(campaign, message)
        self._needs_consent = not TopicRule.objects.filter(topic=topic, needs_consent=False).exists()
        self._granted = customers.consented_ids(customer_ids, channel=channel, topic=topic)
        self._suppressed = customers.suppressions_by_customer(customer_ids, channel=channel)

    def of(self, customer_id: int, context: Mapping[str, Any], *, address: str) -> Iterator[Decision]:
        """`address`: where the channel would write to; `context`: what the template was given."""
        yield self._segment(customer_id)
        held = customer_id in self._held
        yield Decision(
            "holdout", STOPPED if held else PASSED, _("In a holdout.") if held else _("In no holdout.")
        )
        yield self._variant
        yield from self._reach(customer_id, address)
        local = self._at.astimezone(zone_of(str(context["context"].get("zone") or "")))
        yield Decision(
            "moment", PASSED, _("The situation that the message sees."), _situation(context, local)
        )
        if context["items"]:
            picks = [
                {"item": item["name"], "because": str(item.get("reason") or "")} for item in context["items"]
            ]
            yield Decision("items", PASSED, _("What is recommended, best first."), {"picks": picks})

    def _segment(self, customer_id: int) -> Decision:
        if self._campaign.segment is None:
            said = _("The campaign has no segment: whoever is triggered gets it.")
            return Decision("audience", UNKNOWN, said)
        if self._version is None:
            return Decision("audience", UNKNOWN, _("The segment has no definition that can be asked."))
        facts = {"segment": str(self._campaign.segment), "version": self._version.number}
        if customer_id in self._members:
            return Decision("audience", PASSED, _("In the segment."), facts)
        return Decision("audience", STOPPED, _("Not in the segment: shown only to be looked at."), facts)

    def _reach(self, customer_id: int, address: str) -> Iterator[Decision]:
        if not address:
            yield Decision("address", STOPPED, _("There is no address for this channel."))
        else:
            yield Decision("address", PASSED, _("There is an address."))
        granted, needed = customer_id in self._granted, self._needs_consent
        facts = {"channel": self._campaign.channel, "topic": self._campaign.topic, "is_needed": needed}
        if granted or not needed:
            said = _("Allowed by the customer.") if granted else _("The topic needs no consent.")
            yield Decision("consent", PASSED, said, facts)
        else:
            yield Decision("consent", STOPPED, _("The customer has not said yes."), facts)
        if entry := self._suppressed.get(customer_id):
            yield Decision(
                "suppression", STOPPED, _("The address is on the suppression list."), {"reason": entry.reason}
            )


def _members(
    campaign: Campaign, customer_ids: Collection[int], at: datetime
) -> tuple[SegmentVersion | None, set[int]]:
    """The segment's present version, and who of them is in it; None where none can be asked."""
    if campaign.segment is None:
        return None, set()
    try:
        version = campaign.segment.current
        found = segments.members(version, now=at).filter(pk__in=customer_ids)
    except (SegmentVersion.DoesNotExist, DefinitionError):
        return None, set()
    return version, set(found.values_list("pk", flat=True))


def _variant(campaign: Campaign, message: Message) -> Decision:
    total = sum(campaign.messages.values_list("weight", flat=True)) or 1.0
    chance = (1 - campaign.control_share) * message.weight / total
    facts = {"variant": message.key, "chance": round(chance, 4), "control": campaign.control_share}
    return Decision(
        "variant", UNKNOWN, _("Drawn at the launch; here the variant is the one you chose."), facts
    )


def _situation(context: Mapping[str, Any], local: datetime) -> dict[str, Any]:
    seen = context["context"]
    place, device = seen.get("place") or {}, seen.get("device") or {}
    return {
        "local_time": f"{local:%Y-%m-%d %H:%M}", "time_zone": str(local.tzinfo),
        "daypart": seen.get("daypart"),
        "season": seen.get("season"), "holiday": seen.get("holiday"), "country": place.get("country"),
        "city": place.get("city"), "device": device.get("kind"),
    }  # fmt: skip
