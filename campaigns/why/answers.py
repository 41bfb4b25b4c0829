"""Why somebody got a message, or did not: the decisions in the order in which they were made, each with the
inputs of that time. Also for people who were never in the audience.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from campaigns.channels import in_language
from campaigns.limits.caps import caps_for
from campaigns.limits.hours import quiet_hours
from campaigns.models import (
    Delivery,
    DeliveryStatus,
    Passage,
    Run,
    SkipReason,
    TopicRule,
    Touch,
)
from campaigns.schedule.timing import Timing
from campaigns.schedule.zones import zone_of
from campaigns.tracking import links
from campaigns.why.devices import device_facts
from personalization.catalog import selectors as catalog
from personalization.customers import selectors as customers
from personalization.customers.models import Consent, Customer
from personalization.segments import selectors as segments
from personalization.segments.compiler import compile_definition
from personalization.segments.definition import DefinitionError
from personalization.segments.describe import describe
from recommender.ranking.reasons import say_reason

PASSED, STOPPED, UNKNOWN = "passed", "stopped", "unknown"


@dataclass(frozen=True)
class Decision:
    """`verdict`: passed, stopped (here it ended), unknown (it was not written down, or not decided yet)."""

    step: str
    verdict: str
    sentence: str
    facts: Mapping[str, Any] = field(default_factory=dict)


def deliveries_to(run: Run, customer: Customer) -> list[Delivery]:
    """Newest first; a standing run may have written to the same customer often."""
    found = Delivery.everything.filter(run=run, customer=customer).select_related("variant", "chunk")
    return list(found.order_by("-pk")[:20])


def explain(run: Run, customer: Customer, delivery: Delivery | None) -> list[Decision]:
    """`delivery`: one of `deliveries_to`; None when there is none."""
    found = [_audience(run, customer, delivery)]
    if delivery is None:
        return found
    at = delivery.sent_at or (delivery.chunk.due_at if delivery.chunk else run.launched_at)
    found += _drawn(delivery)
    found += _address(run, customer, delivery, at)
    found += _limits(run, customer, delivery, at)
    found.append(_content(run, delivery))
    if delivery.devices:
        found.append(_devices(delivery.devices))
    found.append(_outcome(run, customer, delivery))
    return found


def _audience(run: Run, customer: Customer, delivery: Delivery | None) -> Decision:
    if run.segment_version is None:
        return _triggered(run, delivery)
    version = run.segment_version
    facts: dict[str, Any] = {
        "segment": str(version.segment), "version": version.number, "at": run.launched_at.isoformat(),
    }  # fmt: skip
    if delivery is not None:
        return Decision("audience", PASSED, _("In the segment at the launch."), facts)
    if customer.created_at > run.launched_at:
        return Decision("audience", STOPPED, _("Not known yet at the launch."), facts)
    try:
        is_in = segments.members(version, now=run.launched_at).filter(pk=customer.pk).exists()
        facts["conditions"] = list(_conditions(version.definition, customer, run.launched_at))
    except DefinitionError:
        return Decision("audience", UNKNOWN, _("The segment refers to something that is gone."), facts)
    if is_in:
        sentence = _("Not in the audience; with what is known today, the customer would have been.")
        return Decision("audience", UNKNOWN, sentence, facts)
    return Decision("audience", STOPPED, _("Not in the segment at the launch."), facts)


def _conditions(definition: Any, customer: Customer, at: datetime) -> Iterator[dict[str, Any]]:
    """Each condition of the outermost group in words, and whether the customer meets it, as of the launch."""
    parts = definition.get("all") or definition.get("any") or [definition]
    for part in parts:
        met = compile_definition(part, now=at).filter(pk=customer.pk).exists()
        yield {"condition": describe(part), "met": met}


def _triggered(run: Run, delivery: Delivery | None) -> Decision:
    if delivery is None:
        return Decision("audience", STOPPED, _("Nothing has triggered a message to this customer."))
    facts: dict[str, Any] = {"variables": delivery.variables or {}}
    if delivery.occurrence > 0:
        passage = (
            Passage.everything.filter(pk=delivery.occurrence).select_related("journey", "version").first()
        )
        if passage is not None:
            facts |= {
                "journey": str(passage.journey), "version": passage.version.number,
                "entered_at": passage.entered_at.isoformat(),
            }  # fmt: skip
        return Decision("audience", PASSED, _("A journey came to its message."), facts)
    return Decision("audience", PASSED, _("Another program triggered it."), facts)


def _drawn(delivery: Delivery) -> Iterator[Decision]:
    facts: dict[str, Any] = {"chance": delivery.propensity}
    if delivery.reason == SkipReason.HOLDOUT:
        yield Decision("holdout", STOPPED, _("In a holdout."), facts)
        return
    yield Decision("holdout", PASSED, _("In no holdout."))
    if delivery.variant is None:
        stopped = delivery.status == DeliveryStatus.SKIPPED
        sentence = _("Outside the test.") if stopped else _("In the rest, which waits for the test's winner.")
        yield Decision("variant", STOPPED if stopped else UNKNOWN, sentence, facts)
        return
    facts["variant"] = delivery.variant.key
    is_control = delivery.reason == SkipReason.CONTROL
    sentence = _("Drawn for the control group.") if is_control else _("Drawn for a variant.")
    if delivery.is_rest:
        sentence = _("In the rest, which gets what the test found.")
    yield Decision("variant", STOPPED if is_control else PASSED, sentence, facts)


TEMPLATE_REASONS = (
    SkipReason.NO_CONTENT, SkipReason.MISSING_VALUE, SkipReason.LEFT_OUT, SkipReason.NO_COUPON,
)  # fmt: skip
ADDRESS_REASONS = (SkipReason.NO_ADDRESS, SkipReason.INVALID_ADDRESS, SkipReason.DUPLICATE_ADDRESS)


def _address(run: Run, customer: Customer, delivery: Delivery, at: datetime) -> Iterator[Decision]:
    labels = dict(SkipReason.choices)
    if delivery.reason in ADDRESS_REASONS:
        yield Decision("address", STOPPED, str(labels[SkipReason(delivery.reason)]))
    channel, topic = run.content["channel"], run.content["topic"]
    needs = not TopicRule.objects.filter(topic=topic, needs_consent=False).exists()
    stated = Consent.objects.filter(customer=customer, channel=channel, topic=topic, recorded_at__lte=at)
    last = stated.order_by("-recorded_at", "-pk").first()
    facts: dict[str, Any] = {"channel": channel, "topic": topic, "is_needed": needs}
    if last is not None:
        facts |= {
            "granted": last.granted, "source": last.source, "recorded_at": last.recorded_at.isoformat(),
        }  # fmt: skip
    if delivery.reason == SkipReason.NO_CONSENT:
        sentence = _("The customer had said no.") if last else _("The customer had not said yes.")
        yield Decision("consent", STOPPED, sentence, facts)
    elif delivery.status != DeliveryStatus.SKIPPED:
        yield Decision("consent", PASSED, _("Allowed by the customer."), facts)
    if delivery.reason == SkipReason.SUPPRESSED:
        entry = customers.suppression_of(customer, channel=channel)
        why = {"reason": entry.reason, "since": entry.created_at.isoformat()} if entry else {}
        yield Decision("suppression", STOPPED, _("The address is on the suppression list."), why)


def _limits(run: Run, customer: Customer, delivery: Delivery, at: datetime) -> Iterator[Decision]:
    timing = Timing.from_json(run.content.get("timing") or {})
    channel, topic = run.content["channel"], run.content["topic"]
    found = caps_for(channel=channel, topic=topic)
    if delivery.reason == SkipReason.LEFT_JOURNEY:
        yield Decision("journey", STOPPED, _("The customer left the journey before it was sent."))
    caps = [
        {
            "messages": cap.max_messages, "hours": cap.window.total_seconds() / 3600, "channel": cap.channel,
            "topic": cap.topic, "had": _touches(customer, delivery, cap, at),
        }
        for cap in found or ()
    ]  # fmt: skip
    if delivery.reason == SkipReason.CAP:
        waits = delivery.status == DeliveryStatus.PENDING
        sentence = _("Too many messages lately; it waits.") if waits else _("Too many messages lately.")
        yield Decision(
            "cap", UNKNOWN if waits else STOPPED, sentence, {"caps": caps, "rule": timing.cap_rule}
        )
    elif delivery.status in (DeliveryStatus.SENT, DeliveryStatus.UNKNOWN):
        exempt = _("The topic is not capped.") if found is None else _("Under every cap.")
        yield Decision("cap", PASSED, exempt, {"caps": caps})
    if delivery.reason == SkipReason.QUIET_HOURS:
        waits = delivery.status == DeliveryStatus.PENDING
        quiet = quiet_hours(timing, channel=channel, topic=topic)
        facts = {
            "quiet_hours": [f"{one.starts:%H:%M}–{one.ends:%H:%M}" for one in quiet],
            "time_zone": str(zone_of(customer.time_zone)), "due_at": delivery.due_at,
        }  # fmt: skip
        sentence = _("Quiet hours; it waits.") if waits else _("Quiet hours.")
        yield Decision("quiet_hours", UNKNOWN if waits else STOPPED, sentence, facts)


def _touches(customer: Customer, delivery: Delivery, cap: Any, at: datetime) -> int:
    """Messages that counted against the cap at that moment, without this one."""
    found = Touch.objects.filter(customer=customer, at__gt=at - cap.window, at__lte=at).exclude(
        pk=delivery.pk
    )
    if cap.channel:
        found = found.filter(channel=cap.channel)
    return (found.filter(topic=cap.topic) if cap.topic else found).count()


def _content(run: Run, delivery: Delivery) -> Decision:
    variant = run.content["variants"].get(delivery.variant.key if delivery.variant else "")
    if variant is None:
        return Decision("content", UNKNOWN, _("No message was meant for this customer."))
    text = json.dumps(variant, sort_keys=True).encode()
    picks = (delivery.inputs or {}).get("items") or []
    items = catalog.items({pk for item, _kind, of, _event in picks for pk in (item, of) if pk is not None})
    language = (delivery.inputs or {}).get("language")
    facts = {
        "template": hashlib.sha256(text).hexdigest()[:16],
        "message": delivery.variant.name if delivery.variant else "",
        "subject": _plain(in_language(variant, language).get("subject", "")),
        "picks": [
            {"item": items[item]["name"] if item in items else item,
             "because": say_reason(kind, because=items[of]["name"] if of in items else "", event=event),
             "kind": kind, "of": of}
            for item, kind, of, event in picks
        ],
    }  # fmt: skip
    if language is not None:
        facts["language"] = language or _("the text for everybody")
    if given := (delivery.inputs or {}).get("needs"):
        facts["tags"] = given
    if delivery.reason in TEMPLATE_REASONS:
        # Those that are ours are known to the translations.
        said = _(delivery.detail) if delivery.detail else _("The template failed.")
        return Decision("content", STOPPED, said, facts)
    return Decision("content", PASSED, _("The message as it was launched."), facts)


def _plain(subject: str) -> str:
    """A subject that is the same for everybody. With code inside nobody has read it so, and filled in it
    tells of the person: *Exactly what was sent* has it for whoever may see that."""
    return "" if "{{" in subject or "{%" in subject else subject


def _devices(answers: list[Mapping[str, Any]]) -> Decision:
    devices = device_facts(answers)
    taken = sum(one["outcome"] == "sent" for one in devices)
    sentence = _("%(taken)s of the person's %(all)s devices took it.") % {"taken": taken, "all": len(devices)}
    return Decision("devices", PASSED if taken else STOPPED, sentence, {"devices": devices})


def _waiting(customer: Customer, delivery: Delivery) -> dict[str, str]:
    """Until when, and by whose clock; nothing for whoever is in line already."""
    planned = delivery.chunk.due_at if delivery.chunk and delivery.status == DeliveryStatus.PENDING else None
    due = delivery.due_at or planned
    if due is None or (due == planned and due <= timezone.now()):
        return {}
    return {"waits_until": due.isoformat(), "time_zone": str(zone_of(customer.time_zone))}


def _outcome(run: Run, customer: Customer, delivery: Delivery) -> Decision:
    verdicts = {DeliveryStatus.SENT: PASSED, DeliveryStatus.FAILED: STOPPED, DeliveryStatus.SKIPPED: STOPPED}
    facts = {
        "status": delivery.status, "reason": delivery.reason, "attempts": delivery.attempts,
        "sent_at": delivery.sent_at and delivery.sent_at.isoformat(), "answer": delivery.detail,
        "message_id": links.message_id(delivery.pk, run.pk, customer.pk, run.content["channel"]),
        **_waiting(customer, delivery),
    }  # fmt: skip
    verdict = verdicts.get(DeliveryStatus(delivery.status), UNKNOWN)
    is_made = delivery.is_test and delivery.status == DeliveryStatus.SENT
    sentence = _("Made, and handed over to nobody.") if is_made else str(delivery.get_status_display())
    return Decision("outcome", verdict, sentence, facts)
