"""A journey's draft run through with a moved clock, by the events on record."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from django.db.models import Exists, Max, Min, OuterRef, QuerySet

from campaigns.journeys import entering, entries, passing, selectors, services, stuck
from campaigns.journeys.entries._base import HAPPENED
from campaigns.journeys.graph import Graph
from campaigns.journeys.versions import graph_of
from campaigns.models import Chunk, Delivery, DeliveryStatus, Journey, JourneyStatus, Passage
from campaigns.rehearsing.found import Findings
from campaigns.rehearsing.giving_way import GaveWay
from campaigns.rehearsing.rehearsal import DAYS, hold_back
from campaigns.rehearsing.through import open_chunks, send, taken_back
from personalization.access.jobs.work import Tell, nobody_listens

S = DeliveryStatus
# So much later, at most, a rehearsed journey hears of what happens on a busy day.
LATE = timedelta(minutes=1)


def rehearse_journey(
    journey: Journey, *, at: datetime, days: int = DAYS, tell: Tell = nobody_listens
) -> Findings:
    """What the draft would have done, or will do, from that time on; events are those that are on record.
    `tell` hears which share of the time is through; when it raises GaveWay, what was found by then is told.

    Raises InvalidJourney, InvalidState, CampaignNotReady.
    """
    found = Findings(at, at + timedelta(days=days))
    with taken_back():
        # A journey of its own: who is inside of the real one, or was, does not stand in its way.
        copy = Journey.objects.create(name=journey.name, draft=journey.draft, status=JourneyStatus.DRAFT)
        version = services.publish(copy, actor="rehearsal", now=at, stands_for=journey)
        graph = graph_of(version)
        campaigns = [spec.params["campaign"] for spec in graph.nodes.values() if spec.kind == "message"]
        chunks = Chunk.objects.filter(run__campaign__in=campaigns, run__is_standing=True)
        # What else is in line, or comes there meanwhile, is for the real workers.
        ours = Delivery.objects.filter(chunk=OuterRef("pk"), occurrence__in=copy.passages.values("pk"))
        line = open_chunks(chunks.filter(Exists(ours), pk__gt=chunks.aggregate(last=Max("pk"))["last"] or 0))
        clock = at
        while clock <= found.ends_at:
            entering.look(copy.pk, now=clock, by=HAPPENED)
            passing.run_due(now=clock, journey_id=copy.pk, step=stuck.step)
            send(found, line, until=clock)
            through, clock = clock, _next(copy, graph, line, clock)
            try:
                tell(min((clock - at) / (found.ends_at - at), 1.0))
            except GaveWay:
                found.ends_at, found.is_cut = through, True
                break
        found.journey = selectors.counts(copy)
        found.audience = found.journey["entered"]
        _count_journey(found, copy)
    hold_back(found, run_rate=None)
    return found


def _next(journey: Journey, graph: Graph, line: QuerySet[Chunk], clock: datetime) -> datetime:
    """The next moment at which something can happen: somebody or a message is due, or may come in."""
    every = entries.get(graph.entry_kind).every_rehearsed.total_seconds()
    look = datetime.fromtimestamp((clock.timestamp() // every + 1) * every, UTC)
    event = entering.first_event(graph, after=clock)
    inside = Passage.objects.filter(journey=journey, status="inside", due_at__gt=clock)
    moments = (
        max(event, clock + LATE) if event else None,
        inside.aggregate(first=Min("due_at"))["first"],
        line.filter(due_at__gt=clock).aggregate(first=Min("due_at"))["first"],
    )
    return min(at for at in (look, *moments) if at is not None)


def _count_journey(found: Findings, journey: Journey) -> None:
    rows = Delivery.objects.filter(occurrence__in=journey.passages.values("pk"))
    reasons: Counter[str] = Counter()
    waiting: Counter[str] = Counter()
    for status, reason in rows.values_list("status", "reason"):
        if status == S.SKIPPED:
            reasons[reason] += 1
        elif status == S.PENDING:
            waiting[reason or "due"] += 1
    found.reasons, found.waiting = dict(reasons), dict(waiting)
    found.sent = sum(n for due in found.due.values() for _at, n, _domain in due)
