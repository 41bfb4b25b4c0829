"""The launch: content, experiment and audience are frozen, all or nothing."""

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from campaigns import channels
from campaigns.launching.audience import freeze
from campaigns.launching.varying import start_varying
from campaigns.models import Campaign, CampaignKind, CampaignStatus, Run
from campaigns.pacing.engaged import engaged
from campaigns.pacing.forecast import is_warming
from campaigns.planning.competing import CONTROL
from campaigns.planning.frozen import content_of_campaign
from campaigns.planning.readiness import editable, must_be_ready
from campaigns.rollout.waves import first_wave, start_clock
from campaigns.rollout.winner import promise
from campaigns.schedule.due import due_moments
from campaigns.schedule.planning import next_launch
from campaigns.schedule.timing import Timing
from experiments import services as experiments
from experiments.models import Allocation, Experiment
from experiments.traffic import holdouts
from personalization.access.services import audit
from personalization.segments import selectors as segments


@transaction.atomic
def launch(campaign: Campaign, *, actor: str, now: datetime | None = None, is_rehearsal: bool = False) -> Run:
    """Freezes content, experiment and audience, all or nothing; the tick hands the chunks to workers.

    Launching twice makes one run: the second caller waits for the first and gets InvalidState.
    A rehearsal asks for no approval.
    Raises CampaignNotReady when a check finds an error.
    """
    now = now or timezone.now()
    campaign = editable(campaign, otherwise=_("The campaign was launched already."))
    must_be_ready(campaign, now=now, besides="approval" if is_rehearsal else "")
    number = campaign.runs.count() + 1
    experiment = _experiment(campaign, number)
    experiments.start_experiment(experiment, at=now)
    if campaign.kind == CampaignKind.TRIGGERED:
        return _open(campaign, experiment, number=number, actor=actor, now=now)
    run = _fill(campaign, experiment, number=number, actor=actor, now=now)
    if campaign.allocation == Allocation.FIXED:
        promise(run, actor=actor, now=now)
    else:
        start_clock(run, now=now)
    # A repeated one stays planned, for its next time.
    upcoming = next_launch(campaign, now=now)
    campaign.status = CampaignStatus.SCHEDULED if upcoming else CampaignStatus.LAUNCHED
    campaign.scheduled_at, campaign.problem = upcoming or campaign.scheduled_at, ""
    campaign.save(update_fields=["status", "scheduled_at", "problem", "updated_at"])
    audit(actor, "campaign.launched", f"campaign:{campaign.pk}", run=run.pk, audience=run.audience_size)
    return run


def _fill(campaign: Campaign, experiment: Experiment, *, number: int, actor: str, now: datetime) -> Run:
    """A run with its audience, frozen to the person."""
    assert campaign.segment is not None
    version, timing = campaign.segment.current, Timing.from_json(campaign.timing)
    customer_ids = list(segments.members(version, now=now).order_by("pk").values_list("pk", flat=True))
    assigned, held_out = _divide(campaign, experiment, customer_ids, now=now)
    run = Run.objects.create(
        campaign=campaign, number=number, segment_version=version, experiment=experiment,
        content=_frozen(campaign, experiment, now), audience_size=len(customer_ids), launched_by=actor,
        launched_at=now, per_second=timing.per_second,
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
        has_rest=campaign.allocation != Allocation.FIXED or campaign.test_share < 1,
        first=engaged(customer_ids, now=now) if is_warming(campaign.channel, now=now) else (),
        due=due_moments(customer_ids, timing, planned=campaign.scheduled_at, now=now),
    )
    if written != run.audience_size:
        # Someone was erased between the two statements: the audience is who is in the ledger.
        Run.objects.filter(pk=run.pk).update(audience_size=written)
        run.audience_size = written
    return run


def _divide(
    campaign: Campaign, experiment: Experiment, customer_ids: Sequence[int], *, now: datetime
) -> tuple[dict[int, experiments.Assigned], Collection[int]]:
    """Who gets which variant, and who is held out of everything."""
    own = [campaign.holdout_id] if campaign.holdout_id else []
    held_out, chance = holdouts.draw(customer_ids, at=now, also=own)
    taking_part = [pk for pk in customer_ids if pk not in held_out]
    assigned = (
        experiments.assign(experiment, taking_part, at=now)
        if campaign.allocation == Allocation.FIXED
        else first_wave(experiment, campaign, taking_part, at=now)
    )
    return assigned | dict.fromkeys(held_out, (None, chance)), held_out


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
