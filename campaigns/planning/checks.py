"""Everything that is looked at before a campaign may be launched, told as sentences."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext as _

from campaigns import channels
from campaigns.models import Campaign, CampaignKind, Message, SuggestedField, TopicRule
from campaigns.pacing.forecast import days_to_send
from campaigns.pacing.remaining import rate_of
from campaigns.pacing.words import duration
from campaigns.planning import approval
from campaigns.planning.frozen import content_of
from campaigns.planning.item_checks import item_findings
from campaigns.planning.outlook import guardrails_ahead, look_ahead_of
from campaigns.schedule.timing import Timing
from campaigns.senders.accounts import trouble_of
from campaigns.suggestions.services import unapproved_in
from experiments.errors import InvalidPlan
from experiments.outlooks.outlook import Outlook
from experiments.outlooks.words import explain_outlook
from personalization.customers.models import Customer
from personalization.customers.selectors import consented
from personalization.privacy.floor import smallest_cell
from personalization.segments import selectors as segments
from personalization.segments.definition import DefinitionError
from personalization.segments.errors import CountTooSlow
from personalization.segments.models import SegmentVersion

Level = Literal["error", "warning", "ok"]
# Below this many people in control, an effect would have to be huge to be told from chance.
LONG_SECONDS = 600  # of sending: worth saying before it begins
SMALL_CONTROL = 30
MANY = 2**31 - 1


@dataclass(frozen=True)
class Check:
    level: Level
    message: str
    field: str = ""  # "segment", "messages/0/body", "sender_address", "control_share": for the editor


def check_campaign(
    campaign: Campaign, *, now: datetime | None = None, told: Callable[[int], int] | None = None
) -> list[Check]:
    """All findings, errors first. Counts the segment, so it takes as long as that. `told` makes of its size
    what the caller may know, and all that is said follows from that; None: all of it."""
    found = [
        *_sender(campaign),
        *_segment(campaign, now or timezone.now(), told or int),
        *_messages(campaign),
        *_test(campaign, now or timezone.now(), told or int),
        *_approval(campaign, now or timezone.now()),
    ]
    order = {"error": 0, "warning": 1, "ok": 2}
    return sorted(found, key=lambda check: order[check.level])


def _sender(campaign: Campaign) -> Iterator[Check]:
    channel = channels.get(campaign.channel)
    if channel.needs_account and (trouble := trouble_of(campaign.channel)):
        yield Check("error", trouble, "channel")
    if not channel.needs_sender_address:
        pass
    elif not campaign.sender_address:
        yield Check("error", _("Name the address that sends."), "sender_address")
    elif not channel.is_address(campaign.sender_address):
        yield Check("error", _("The sender's address is not valid."), "sender_address")
    if not 0 <= campaign.control_share < 1:
        yield Check("error", _("The control share lies between 0 and 1."), "control_share")


def _segment(campaign: Campaign, now: datetime, told: Callable[[int], int]) -> Iterator[Check]:
    if campaign.kind == CampaignKind.TRIGGERED:
        yield Check("ok", _("Whoever triggers it decides who gets it: journeys, or your own program."))
        return
    if campaign.segment is None:
        yield Check("error", _("Choose a segment."), "segment")
        return
    if campaign.segment.archived_at:
        text = _("The segment “%(name)s” is in the archive: choose another.")
        yield Check("error", text % {"name": campaign.segment.name}, "segment")
        return
    try:
        chosen = segments.members(campaign.segment.current, now=now)
        size = chosen.count()
    except SegmentVersion.DoesNotExist:
        yield Check("error", _("The segment has no definition yet."), "segment")
        return
    except DefinitionError:
        yield Check("error", _("The segment refers to something that is gone."), "segment")
        return
    if size == 0:
        yield Check("error", _("Nobody is in the segment."), "segment")
        return
    if not (size := told(size)):
        few = _("Fewer than %(n)s customers are in the segment.") % {"n": smallest_cell()}
        yield Check("ok", few, "segment")
        return
    yield Check("ok", _("%(n)s customers are in the segment.") % {"n": f"{size:,}"}, "segment")
    yield from _permission(campaign, chosen)
    yield from _control(campaign, size)
    yield from _days(campaign, chosen, size, now)


def _days(campaign: Campaign, chosen: QuerySet[Customer], size: int, now: datetime) -> Iterator[Check]:
    """How long sending takes, where a warm-up or a rate makes it long."""
    messages = round(size * (1 - campaign.control_share))
    found = days_to_send(campaign.channel, chosen, share=1 - campaign.control_share, now=now)
    if found is not None and found[0] > 1:
        days, plan, group = found
        volumes = [plan.volume_of(plan.day_of(now) + timedelta(days=n), group) for n in range(4)]
        told = ", ".join(f"{n:,}" for n in volumes if n is not None)
        text = _("This will take %(days)s days because the sender warms up: %(volumes)s … messages a day.")
        if group:
            text = _("This will take %(days)s days because the sender warms up at %(domain)s: %(volumes)s …")
        yield Check("warning", text % {"days": days, "volumes": told, "domain": group}, "timing")
    rate = rate_of(Timing.from_json(campaign.timing).per_second, campaign.channel)
    if rate is not None and messages / rate > LONG_SECONDS:
        text = _("At %(rate)s messages a second sending takes about %(time)s.")
        yield Check("ok", text % {"rate": f"{rate:g}", "time": duration(messages / rate)}, "timing")


def _permission(campaign: Campaign, chosen: QuerySet[Customer]) -> Iterator[Check]:
    if TopicRule.objects.filter(topic=campaign.topic, needs_consent=False).exists():
        return
    agreed = consented(channel=campaign.channel, topic=campaign.topic)
    if not agreed.filter(pk__in=chosen.values("pk")).exists():
        yield Check(
            "warning",
            _(
                "Nobody in the segment has agreed to such messages, so nobody would get one. An import can"
                " say who agreed; a topic that needs no consent is set under Rules for topics."
            ),
            "segment",
        )


def _control(campaign: Campaign, size: int) -> Iterator[Check]:
    if campaign.control_share == 0:
        yield Check(
            "warning",
            _("Without a control group nobody can say what the campaign earned."),
            "control_share",
        )
    elif size * campaign.control_share < SMALL_CONTROL:
        message = _("Only about %(n)s customers will be in the control group: too few to measure against.")
        yield Check("warning", message % {"n": round(size * campaign.control_share)}, "control_share")


def _test(campaign: Campaign, now: datetime, told: Callable[[int], int]) -> Iterator[Check]:
    """Whether the test can be judged, and whether it could see what it looks for."""
    if campaign.kind == CampaignKind.TRIGGERED:
        if campaign.test_share < 1:
            yield Check("error", _("A triggered campaign has no rest that could wait."), "test_share")
        return
    weights = [(m.key, m.weight) for m in campaign.messages.order_by("position", "pk")]
    if campaign.test_share < 1 and len(weights) + (campaign.control_share > 0) < 2:
        message = _(
            "There is no winner of one: add a variant or a control group, or send to everybody at once."
        )
        yield Check("error", message, "test_share")
        return
    try:
        size = campaign.segment and segments.size(campaign.segment, now=now, seconds=5.0)
        size = size and told(size)
        found = look_ahead_of(campaign, weights, size=size, now=now) if size else None
    except InvalidPlan as error:
        yield Check("error", error.detail, "plan")
        return
    except CountTooSlow:
        return
    if found is None:
        if campaign.test_share < 1 and size:
            yield Check("error", _("Define a metric first: without one there is no winner."), "test_share")
        return
    criteria, metric, outlook = found
    sentence = explain_outlook(outlook, metric=gettext(metric.name))
    enough = isinstance(outlook, Outlook) and outlook.is_enough
    yield Check("ok" if enough else "warning", sentence, "plan")
    for ahead in guardrails_ahead(campaign, criteria, weights, size=size or 0, now=now):
        if ahead.protection:
            yield Check("ok" if ahead.protection.is_enough else "warning", ahead.sentence, "plan")


def _approval(campaign: Campaign, now: datetime) -> Iterator[Check]:
    if campaign.archived_at:
        yield Check("error", _("The campaign is in the archive: take it out first."))
    if approval.is_approved(campaign):
        yield Check("ok", _("A second person approved the campaign as it is."), "approval")
        return
    size = segments.size(campaign.segment, now=now, seconds=5.0) if campaign.segment else 0
    # Of what cannot be counted in time, nobody can say that it is small.
    if approval.is_needed(campaign, size=MANY if size is None else size):
        yield Check("error", _("A second person must approve this campaign: ask for it below."), "approval")


def _messages(campaign: Campaign) -> Iterator[Check]:
    channel = channels.get(campaign.channel)
    messages = list(campaign.messages.order_by("position", "pk"))
    if not messages:
        yield Check("error", _("Write a message."), "messages")
    yield from _languages(messages)
    for index, message in enumerate(messages):
        where = f"messages/{index}"
        content = content_of(message)
        problems = channel.problems(content)
        for problem in problems:
            level: Level = "error" if problem.level == "error" else "warning"
            name = f"{message.name} ({problem.language})" if problem.language else message.name
            yield Check(level, f"{name}: {problem.message}", f"{where}/{problem.field}")
        for text in channels.texts_in(content).values():
            yield from _suggested(message, text, where)
        if any(problem.level == "error" for problem in problems):
            continue
        compiled = channel.compile(content)
        if channel.name == "email":
            for language, template in channels.templates_of(compiled).items():
                yield from _mail(message, template, where, language)
        for severity, sentence, field in item_findings(message, compiled):
            yield Check(severity, sentence, f"{where}/{field}")


def _languages(messages: list[Message]) -> Iterator[Check]:
    """A language is no variant: one that only some variants have would be compared with another."""
    every = {language for message in messages for language in message.translations}
    for index, message in enumerate(messages):
        if lacking := [one for one in sorted(every) if not channels.nearest(message.translations, one)]:
            text = _("%(name)s: another variant has a text in %(languages)s, this one has none.")
            facts = {"name": message.name, "languages": ", ".join(lacking)}
            yield Check("warning", text % facts, f"messages/{index}/body")


def _mail(message: Message, compiled: Any, where: str, language: str) -> Iterator[Check]:
    """What e-mail cannot be sent without, in each language."""
    name = f"{message.name} ({language})" if language else message.name
    if not message.subject.strip():
        yield Check("error", _("%(name)s: write a subject.") % {"name": name}, f"{where}/subject")
    if not compiled.uses("unsubscribe_url"):
        text = _("%(name)s: there is no unsubscribe link. Add {{ unsubscribe_url }}.")
        yield Check("error", text % {"name": name}, f"{where}/body")


def _suggested(message: Message, content: dict[str, Any], where: str) -> Iterator[Check]:
    texts = {field: content[field] for field in SuggestedField.values}
    for field, one in unapproved_in(message.campaign, texts):
        text = _("%(name)s: “%(text)s” is a suggestion that nobody approved.")
        yield Check("error", text % {"name": message.name, "text": one.text[:60]}, f"{where}/{field}")
