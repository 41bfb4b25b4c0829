"""A campaign or a journey run through with a moved clock, on the real data and by the real code; nothing is
sent, and everything written is taken back at the end.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from campaigns import ledger, selectors, services
from campaigns.errors import InvalidState
from campaigns.journeys import entering, passing
from campaigns.journeys import selectors as journeys
from campaigns.journeys import services as journey_services
from campaigns.ledger import Claim, Outcome, Row
from campaigns.limits import caps
from campaigns.limits.holding import Holding
from campaigns.models import (
    Campaign,
    CampaignKind,
    Chunk,
    ChunkStatus,
    Delivery,
    DeliveryStatus,
    Journey,
    JourneyStatus,
    Passage,
    Run,
)
from campaigns.pacing.forecast import used_on, waiting_ahead, warming_account
from campaigns.pacing.rates import domain_of
from campaigns.pacing.remaining import rate_of
from campaigns.pacing.warm_up import REST
from campaigns.planning.readiness import EDITABLE
from campaigns.rehearsing.brakes import Brakes, let_go
from campaigns.rehearsing.found import Failure, Findings
from campaigns.rehearsing.giving_way import GaveWay
from campaigns.schedule.due import launch_moment
from campaigns.schedule.words import read_timing
from campaigns.schedule.zones import zone_of
from campaigns.sending import context
from campaigns.sending.composing import Composer, NotPossible
from personalization.access.jobs.work import Tell, nobody_listens

S = DeliveryStatus
DAYS = 30
SAMPLES = 3
MAX_FAILURES, EXAMPLES = 200, 50
# How often a rehearsed journey looks who comes in.
LOOK = timedelta(hours=1)


def rehearse(
    campaign: Campaign,
    *,
    at: datetime | None = None,
    days: int = DAYS,
    tell: Tell = nobody_listens,
) -> Findings:
    """What a launch at that time would do; `tell` hears which share is done, and what it raises ends the
    rehearsal. Raises CampaignNotReady, InvalidState."""
    must_be_open(campaign)
    now = timezone.now()
    at = at or campaign.scheduled_at or now
    timing = read_timing(campaign.timing)
    start = max(launch_moment(timing, at), now) if at > now else at
    found = Findings(start, start + timedelta(days=days))
    with _taken_back():
        Campaign.objects.filter(pk=campaign.pk).update(scheduled_at=start if at > now else None)
        run = services.launch(campaign, actor="rehearsal", now=start, is_rehearsal=True)
        chunks = run.chunks.count()
        _send(found, [run.pk], until=found.ends_at, tell=lambda left: tell(1 - left / max(chunks, 1)))
        progress = selectors.progress(run)
        found.audience, found.sent = progress["audience"], progress["sent"]
        found.reasons, found.waiting = progress["reasons"], progress["waiting"]
        found.variants = progress["variants"]
    hold_back(found, run_rate=timing.per_second)
    return found


def must_be_open(campaign: Campaign) -> None:
    """Raises InvalidState."""
    if campaign.kind == CampaignKind.TRIGGERED:
        raise InvalidState(_("A triggered campaign is rehearsed with its journey."))
    if campaign.status not in EDITABLE:
        raise InvalidState(_("The campaign was launched already."))


def rehearse_journey(
    journey: Journey, *, at: datetime, days: int = DAYS, tell: Tell = nobody_listens
) -> Findings:
    """What the draft would have done, or will do, from that time on; events are those that are on record.
    `tell` hears which share of the time is through; when it raises GaveWay, what was found by then is told.

    Raises InvalidJourney, InvalidState, CampaignNotReady.
    """
    found = Findings(at, at + timedelta(days=days))
    with _taken_back():
        # A journey of its own: who is inside of the real one, or was, does not stand in its way.
        copy = Journey.objects.create(name=journey.name, draft=journey.draft, status=JourneyStatus.DRAFT)
        version = journey_services.publish(copy, actor="rehearsal", now=at)
        campaigns = [
            node["params"]["campaign"]
            for node in version.graph["nodes"].values()
            if node["kind"] == "message"
        ]
        runs = list(Run.objects.filter(campaign__in=campaigns, is_standing=True).values_list("pk", flat=True))
        before = set(Delivery.objects.filter(run__in=runs).values_list("pk", flat=True))
        clock = at
        while clock <= found.ends_at:
            entering.look(copy.pk, now=clock)
            passing.run_due(now=clock, journey_id=copy.pk)
            _send(found, runs, until=clock, only_after=before)
            through, clock = clock, _next(copy, clock)
            try:
                tell(min((clock - at) / (found.ends_at - at), 1.0))
            except GaveWay:
                found.ends_at, found.is_cut = through, True
                break
        found.journey = journeys.counts(copy)
        found.audience = found.journey["entered"]
        _count_journey(found, runs, before)
    hold_back(found, run_rate=None)
    return found


def _next(journey: Journey, clock: datetime) -> datetime:
    """The next moment at which something can happen: somebody is due, or may come in."""
    due = Passage.objects.filter(journey=journey, status="inside", due_at__gt=clock).order_by("due_at")
    first = due.values_list("due_at", flat=True).first()
    return min(first, clock + LOOK) if first else clock + LOOK


def _count_journey(found: Findings, runs: list[int], before: set[int]) -> None:
    rows = Delivery.objects.filter(run__in=runs).exclude(pk__in=before)
    reasons: Counter[str] = Counter()
    waiting: Counter[str] = Counter()
    for status, reason in rows.values_list("status", "reason"):
        if status == S.SKIPPED:
            reasons[reason] += 1
        elif status == S.PENDING:
            waiting[reason or "due"] += 1
    found.reasons, found.waiting = dict(reasons), dict(waiting)
    found.sent = sum(n for due in found.due.values() for _at, n, _domain in due)


def hold_back(found: Findings, *, run_rate: float | None) -> None:
    """Puts the messages of each channel behind the rate that is set and the warm-up of their sender."""
    for channel, due in found.due.items():
        rate, warming = rate_of(run_rate, channel), warming_account(channel)
        brakes, to_groups = Brakes(rate, None, zone_of("")), [(at, n, REST) for at, n, _domain in due]
        if warming is not None:
            account, plan = warming
            used = used_on(account, plan, now=found.starts_at)
            brakes = Brakes(rate, plan, zone_of(""), used=used, ahead=waiting_ahead(channel, plan))
            to_groups = [(at, n, plan.group_of(domain)) for at, n, domain in due]
        left = let_go(_added(to_groups), brakes, until=found.ends_at)
        for day, n in left.days.items():
            found.days[day] = found.days.get(day, 0) + n
        found.sent -= left.late
        for reason, n in (("warm_up", left.warm_up_late), ("rate", left.late - left.warm_up_late)):
            if n:
                found.waiting[reason] = found.waiting.get(reason, 0) + n
        found.last_at = max((at for at in (found.last_at, left.last_at) if at), default=None)
        found.per_second = min((one for one in (found.per_second, rate) if one), default=None)
        found.is_warming = found.is_warming or (warming is not None and left.is_warmed)


def _added(due: Iterable[tuple[datetime, int, str]]) -> list[tuple[datetime, int, str]]:
    """One for each moment and group."""
    sums: Counter[tuple[datetime, str]] = Counter()
    for at, n, group in due:
        sums[at, group] += n
    return [(at, n, group) for (at, group), n in sums.items()]


@contextmanager
def _taken_back() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def _send(
    found: Findings,
    run_ids: list[int],
    *,
    until: datetime,
    only_after: set[int] | None = None,
    tell: Callable[[float], None] = nobody_listens,
) -> None:
    """Goes through the chunks in the order of their due times, none before it is due. `tell` hears how many
    are left, with the rest of the one at hand as a part."""
    chunks = Chunk.objects.filter(run__in=run_ids).exclude(status=ChunkStatus.DONE)
    if only_after:
        chunks = chunks.exclude(deliveries__in=only_after)
    while (chunk := chunks.filter(due_at__lte=until).order_by("due_at", "pk").first()) is not None:
        clock = max(chunk.due_at, found.starts_at)
        left = chunks.count() if tell is not nobody_listens else 0
        _rehearse_chunk(found, chunk, clock, tell=_less(tell, left))


def _less(tell: Callable[[float], None], left: int) -> Tell:
    return lambda share: tell(left - share)


def _rehearse_chunk(found: Findings, chunk: Chunk, clock: datetime, *, tell: Tell) -> None:
    content = context.run_content(chunk.run_id)
    later = ledger.not_due(chunk.pk, now=clock)
    rows = [row for row in ledger.pending(chunk.pk) if row.id not in later]
    data = context.load(content, rows)
    holding = Holding(
        data.profiles, timing=content.timing, channel=content.channel.name, topic=content.content["topic"],
        with_locks=False,
    )  # fmt: skip
    held = holding.reserve(rows, now=clock)
    outcomes = list(held.values())
    rows = [row for row in rows if row.id not in held]
    data = context.load_needs(content, data, rows, at=clock, is_real=False, pretended=found.pretended)
    composer = Composer(content, data, at=clock)
    made: Counter[str] = Counter()
    for n, row in enumerate(rows):
        tell(n / len(rows))
        try:
            message = composer.render(row)
        except NotPossible as error:
            outcomes.append(Outcome(row.id, S.SKIPPED, error.reason, str(error), counts=False))
            _note_failure(found, row, error)
            continue
        outcomes.append(Outcome(row.id, S.SENT, at=clock))
        made[domain_of(composer.address_of(row))] += 1
        if len(found.samples) < SAMPLES:
            found.samples.append(_sample(row.customer_id, message, clock))
    found.due.setdefault(content.channel.name, []).extend((clock, n, domain) for domain, n in made.items())
    ledger.record(Claim(chunk.pk, chunk.run_id, "rehearsal", ""), outcomes)
    caps.settle(chunk.pk, now=clock, is_held=True)
    left = Delivery.objects.filter(chunk=chunk, status=S.PENDING).order_by("due_at").first()
    status = ChunkStatus.FREE if left else ChunkStatus.DONE
    due_at = max(left.due_at, clock) if left and left.due_at else clock
    Chunk.objects.filter(pk=chunk.pk).update(status=status, due_at=due_at)
    tell(1.0)


def _note_failure(found: Findings, row: Row, error: NotPossible) -> None:
    key = (row.variant, error.reason, str(error))
    if key not in found.failures and len(found.failures) >= MAX_FAILURES:
        key = (row.variant, error.reason, _("for other reasons"))
    failure = found.failures.setdefault(key, Failure(*key))
    failure.customers += 1
    if row.customer_id is not None and len(failure.examples) < EXAMPLES:
        failure.examples.append(row.customer_id)


def _sample(customer_id: int | None, message: Any, clock: datetime) -> dict[str, Any]:
    return {
        "customer": customer_id, "at": clock, "subject": str(getattr(message, "subject", "")),
        "text": str(getattr(message, "text", message))[:2000],
    }  # fmt: skip
