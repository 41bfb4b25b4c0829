"""Writes of the campaigns room: planning, launching and steering. Sending itself lives in `sending`.

`actor` is the name in the audit log (`access.services.actor_name`).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from campaigns import channels
from campaigns.errors import CampaignNotReady, InvalidCampaign, InvalidState
from campaigns.launching.audience import freeze
from campaigns.launching.varying import start_varying
from campaigns.learning_plan import check_allocation
from campaigns.models import Campaign, CampaignKind, CampaignStatus, Fallback, Message, Run
from campaigns.pacing.engaged import engaged
from campaigns.pacing.forecast import is_warming
from campaigns.planning.checks import Check, check_campaign
from campaigns.planning.competing import CONTROL, draft_plan, entrants
from campaigns.planning.drafts import MessageDraft, validate, validate_test
from campaigns.planning.frozen import content_of_campaign
from campaigns.planning.translations import clean_translations
from campaigns.rollout.waves import first_wave, start_clock
from campaigns.rollout.winner import promise
from campaigns.schedule.due import due_moments
from campaigns.schedule.planning import next_launch, plan_launch
from campaigns.schedule.timing import Timing
from campaigns.schedule.words import read_timing
from campaigns.steering import cancel, change_rate, close, pause, resume, retry_failed
from campaigns.tracking.utm import wrong_utm
from experiments import services as experiments
from experiments.models import Allocation, Experiment, Holdout
from experiments.traffic import holdouts
from personalization.access.services import audit
from personalization.segments import selectors as segments
from personalization.segments.models import Segment

if TYPE_CHECKING:
    from personalization.access.models import User

__all__ = [
    "Check", "MessageDraft", "cancel", "change_rate", "check_campaign", "close", "launch", "pause", "resume",
    "retry_failed", "save_campaign", "schedule", "unschedule",
]  # fmt: skip


EDITABLE = (CampaignStatus.DRAFT, CampaignStatus.SCHEDULED)


@transaction.atomic
def save_campaign(
    campaign: Campaign | None,
    *,
    name: str,
    segment: Segment | None,
    messages: Sequence[MessageDraft],
    sender_address: str = "",
    sender_name: str = "",
    topic: str = "marketing",
    channel: str = "email",
    control_share: float = 0.1,
    plan: Mapping[str, Any] | None = None,
    test_share: float = 1.0,
    fallback: str = Fallback.BASELINE,
    allocation: str = Allocation.FIXED,
    learning: Mapping[str, Any] | None = None,
    holdout: Holdout | None = None,
    kind: str = CampaignKind.BROADCAST,
    timing: Mapping[str, Any] | None = None,
    utm: Mapping[str, str] | None = None,
    tracks_clicks: bool = True,
    actor: str,
    created_by: "User | None" = None,
) -> Campaign:
    """Creates the campaign (None) or replaces it with its messages; unfinished ones may be saved.

    `timing` as schedule.timing.Timing. Raises InvalidCampaign, InvalidPlan, and InvalidState once it was
    launched.
    """
    validate(name=name, topic=topic, channel=channel, control_share=control_share, messages=messages)
    validate_test(test_share=test_share, fallback=fallback)
    check_allocation(
        allocation, learning or {}, messages=len(messages), test_share=test_share,
        is_broadcast=kind == CampaignKind.BROADCAST,
    )  # fmt: skip
    planned = read_timing(timing or {})
    if wrong_utm(dict(utm or {})):
        detail = _("UTM parameters are short texts: source, medium, campaign, term, content.")
        raise InvalidCampaign(errors=[{"pointer": "/utm", "detail": detail}])
    if campaign is None:
        campaign = Campaign(created_by=created_by)
    else:
        campaign = _locked(campaign)
        if campaign.status not in EDITABLE:
            raise InvalidState(_("A launched campaign can no longer be changed."))
    campaign.name, campaign.segment, campaign.topic, campaign.channel = name.strip(), segment, topic, channel
    campaign.sender_name, campaign.sender_address = sender_name.strip(), sender_address.strip()
    campaign.control_share, campaign.holdout = control_share, holdout
    campaign.plan, campaign.test_share, campaign.fallback = dict(plan or {}), test_share, fallback
    campaign.allocation, campaign.learning = allocation, dict(learning or {})
    campaign.kind, campaign.timing = CampaignKind(kind), planned.as_json()
    campaign.utm = {name: value for name, value in (utm or {}).items() if value}
    campaign.tracks_clicks = tracks_clicks
    draft_plan(campaign, entrants(messages, control_share))
    campaign.save()
    campaign.messages.all().delete()
    Message.objects.bulk_create(
        Message(
            campaign=campaign, key=m.key, name=m.name or m.key, position=position, weight=m.weight,
            subject=m.subject, preheader=m.preheader, body=m.body, fields=dict(m.fields),
            translations=clean_translations(m.translations),
            item_count=m.item_count, rules=m.rules.as_json(), missing=m.missing,
        )
        for position, m in enumerate(messages)
    )  # fmt: skip
    audit(actor, "campaign.saved", f"campaign:{campaign.pk}", messages=len(messages))
    return campaign


@transaction.atomic
def schedule(campaign: Campaign, *, at: datetime, actor: str) -> Campaign:
    """Plans the launch; the tick carries it out. For a repeated campaign `at` is the first time of day that
    it repeats; by local time it is launched when the first clocks on earth show it. Raises CampaignNotReady,
    InvalidState, InvalidCampaign."""
    campaign = _locked(campaign)
    if campaign.status not in EDITABLE:
        raise InvalidState(_("The campaign was launched already."))
    _must_be_ready(campaign, now=timezone.now())
    planned = plan_launch(campaign, at=at, now=timezone.now())
    campaign.status, campaign.scheduled_at, campaign.problem = CampaignStatus.SCHEDULED, planned, ""
    campaign.save(update_fields=["status", "scheduled_at", "problem", "timing", "updated_at"])
    audit(actor, "campaign.scheduled", f"campaign:{campaign.pk}", at=at.isoformat())
    return campaign


@transaction.atomic
def unschedule(campaign: Campaign, *, actor: str, problem: str = "") -> Campaign:
    """Back to a draft; `problem` says why, when nobody asked for it. Raises InvalidState."""
    campaign = _locked(campaign)
    if campaign.status != CampaignStatus.SCHEDULED:
        raise InvalidState(_("The campaign is not scheduled."))
    campaign.status, campaign.scheduled_at = CampaignStatus.DRAFT, None
    campaign.problem = problem[:500]
    campaign.save(update_fields=["status", "scheduled_at", "problem", "updated_at"])
    audit(actor, "campaign.unscheduled", f"campaign:{campaign.pk}", problem=problem)
    return campaign


@transaction.atomic
def launch(campaign: Campaign, *, actor: str, now: datetime | None = None, is_rehearsal: bool = False) -> Run:
    """Freezes content, experiment and audience, all or nothing; the tick hands the chunks to workers.

    Launching twice makes one run: the second caller waits for the first and gets InvalidState.
    A rehearsal asks for no approval.
    Raises CampaignNotReady when a check finds an error.
    """
    now = now or timezone.now()
    campaign = _locked(campaign)
    if campaign.status not in EDITABLE:
        raise InvalidState(_("The campaign was launched already."))
    _must_be_ready(campaign, now=now, besides="approval" if is_rehearsal else "")
    number = campaign.runs.count() + 1
    experiment = _experiment(campaign, number)
    experiments.start_experiment(experiment, at=now)
    if campaign.kind == CampaignKind.TRIGGERED:
        return _open(campaign, experiment, number=number, actor=actor, now=now)
    assert campaign.segment is not None
    version = campaign.segment.current
    customer_ids = list(segments.members(version, now=now).order_by("pk").values_list("pk", flat=True))
    own = [campaign.holdout_id] if campaign.holdout_id else []
    held_out, chance = holdouts.draw(customer_ids, at=now, also=own)
    taking_part = [pk for pk in customer_ids if pk not in held_out]
    learns = campaign.allocation != Allocation.FIXED
    assigned = (
        first_wave(experiment, campaign, taking_part, at=now)
        if learns
        else experiments.assign(experiment, taking_part, at=now)
    ) | dict.fromkeys(held_out, (None, chance))
    run = Run.objects.create(
        campaign=campaign, number=number, segment_version=version, experiment=experiment,
        content=_frozen(campaign, experiment, now), audience_size=len(customer_ids), launched_by=actor,
        launched_at=now, per_second=Timing.from_json(campaign.timing).per_second,
    )  # fmt: skip
    control = experiment.variants.filter(is_control=True).first()
    written = freeze(
        run,
        assigned=assigned,
        held_out=held_out,
        control_id=control.pk if control else None,
        channel=channels.get(campaign.channel),
        topic=campaign.topic,
        now=now,
        has_rest=learns or campaign.test_share < 1,
        first=engaged(customer_ids, now=now) if is_warming(campaign.channel, now=now) else (),
        due=due_moments(
            customer_ids, Timing.from_json(campaign.timing), planned=campaign.scheduled_at, now=now
        ),
    )
    if learns:
        start_clock(run, now=now)
    else:
        promise(run, actor=actor, now=now)
    if written != run.audience_size:
        # Someone was erased between the two statements: the audience is who is in the ledger.
        Run.objects.filter(pk=run.pk).update(audience_size=written)
        run.audience_size = written
    # A repeated one stays planned, for its next time.
    upcoming = next_launch(campaign, now=now)
    campaign.status = CampaignStatus.SCHEDULED if upcoming else CampaignStatus.LAUNCHED
    campaign.scheduled_at, campaign.problem = upcoming or campaign.scheduled_at, ""
    campaign.save(update_fields=["status", "scheduled_at", "problem", "updated_at"])
    audit(actor, "campaign.launched", f"campaign:{campaign.pk}", run=run.pk, audience=written)
    return run


def _open(campaign: Campaign, experiment: Experiment, *, number: int, actor: str, now: datetime) -> Run:
    """A standing run without anybody: triggers and journeys take customers in."""
    run = Run.objects.create(
        campaign=campaign, number=number, experiment=experiment, content=_frozen(campaign, experiment, now),
        audience_size=0,
        launched_by=actor, launched_at=now, is_standing=True,
        per_second=Timing.from_json(campaign.timing).per_second,
    )  # fmt: skip
    campaign.status, campaign.problem = CampaignStatus.LAUNCHED, ""
    campaign.save(update_fields=["status", "problem", "updated_at"])
    audit(actor, "campaign.opened", f"campaign:{campaign.pk}", run=run.pk)
    return run


def _locked(campaign: Campaign) -> Campaign:
    return Campaign.objects.select_for_update(of=("self",)).select_related("segment").get(pk=campaign.pk)


def _must_be_ready(campaign: Campaign, *, now: datetime, besides: str = "") -> None:
    errors = [
        check
        for check in check_campaign(campaign, now=now)
        if check.level == "error" and check.field != (besides or None)
    ]
    if errors:
        raise CampaignNotReady(
            " ".join(check.message for check in errors),
            errors=[{"pointer": f"/{check.field}", "detail": check.message} for check in errors],
        )


def _experiment(campaign: Campaign, number: int) -> Experiment:
    messages = list(campaign.messages.order_by("position", "pk"))
    total = sum(message.weight for message in messages)
    share = 1 - campaign.control_share
    variants = [
        experiments.VariantSpec(key=m.key, name=m.name, weight=share * m.weight / total, is_control=False)
        for m in messages
    ]
    if campaign.control_share > 0:
        control = experiments.VariantSpec(
            key=CONTROL, name=_("Control"), weight=campaign.control_share, is_control=True
        )
        variants.insert(0, control)
    return experiments.create_experiment(
        key=f"campaign-{campaign.pk}-run-{number}", name=f"{campaign.name[:180]} #{number}",
        variants=variants,
        coverage=campaign.test_share, allocation=Allocation(campaign.allocation),
    )  # fmt: skip


def _frozen(campaign: Campaign, experiment: Experiment, now: datetime) -> dict[str, object]:
    """The content as it is, with an experiment for every choice inside of the messages."""
    content = content_of_campaign(campaign)
    return {**content, "varies": start_varying(experiment.key, content, parent=experiment, at=now)}
