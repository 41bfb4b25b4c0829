"""Why a customer would get a message that is not launched yet, and what would stand in it: the decisions in
the order in which a sending makes them, asked now and writing nothing down.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from campaigns.models import Campaign, Message, TopicRule
from campaigns.schedule.zones import zone_of
from campaigns.why.answers import PASSED, STOPPED, UNKNOWN, Decision
from experiments.traffic.holdouts import is_global_member
from personalization.customers import selectors as customers
from personalization.customers.models import Customer
from personalization.segments import selectors as segments
from personalization.segments.definition import DefinitionError
from personalization.segments.models import SegmentVersion


def decide(
    campaign: Campaign, message: Message, customer: Customer, context: Mapping[str, Any], *, address: str,
    at: datetime,
) -> Iterator[Decision]:  # fmt: skip
    """`address`: where the channel would write to; `context`: what the template was given."""
    yield _segment(campaign, customer, at)
    held = is_global_member(customer.pk)
    yield Decision(
        "holdout", STOPPED if held else PASSED, _("In a holdout.") if held else _("In no holdout.")
    )
    yield _variant(campaign, message)
    yield from _reach(campaign, customer, address)
    local = at.astimezone(zone_of(str(context["context"].get("zone") or "")))
    yield Decision("moment", PASSED, _("The situation that the message sees."), _situation(context, local))
    if context["items"]:
        picks = [
            {"item": item["name"], "because": str(item.get("reason") or "")} for item in context["items"]
        ]
        yield Decision("items", PASSED, _("What is recommended, best first."), {"picks": picks})


def _segment(campaign: Campaign, customer: Customer, at: datetime) -> Decision:
    if campaign.segment is None:
        return Decision("audience", UNKNOWN, _("The campaign has no segment: whoever is triggered gets it."))
    try:
        version = campaign.segment.current
        is_in = segments.members(version, now=at).filter(pk=customer.pk).exists()
    except (SegmentVersion.DoesNotExist, DefinitionError):
        return Decision("audience", UNKNOWN, _("The segment has no definition that can be asked."))
    facts = {"segment": str(campaign.segment), "version": version.number}
    if is_in:
        return Decision("audience", PASSED, _("In the segment."), facts)
    return Decision("audience", STOPPED, _("Not in the segment: shown only to be looked at."), facts)


def _variant(campaign: Campaign, message: Message) -> Decision:
    total = sum(campaign.messages.values_list("weight", flat=True)) or 1.0
    chance = (1 - campaign.control_share) * message.weight / total
    facts = {"variant": message.key, "chance": round(chance, 4), "control": campaign.control_share}
    return Decision(
        "variant", UNKNOWN, _("Drawn at the launch; here the variant is the one you chose."), facts
    )


def _reach(campaign: Campaign, customer: Customer, address: str) -> Iterator[Decision]:
    if not address:
        yield Decision("address", STOPPED, _("There is no address for this channel."))
    else:
        yield Decision("address", PASSED, _("There is an address."))
    channel, topic = campaign.channel, campaign.topic
    needed = not TopicRule.objects.filter(topic=topic, needs_consent=False).exists()
    granted = bool(customers.consented_ids([customer.pk], channel=channel, topic=topic))
    facts = {"channel": channel, "topic": topic, "is_needed": needed}
    if granted or not needed:
        said = _("Allowed by the customer.") if granted else _("The topic needs no consent.")
        yield Decision("consent", PASSED, said, facts)
    else:
        yield Decision("consent", STOPPED, _("The customer has not said yes."), facts)
    if entry := customers.suppression_of(customer, channel=channel):
        yield Decision(
            "suppression", STOPPED, _("The address is on the suppression list."), {"reason": entry.reason}
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
