"""A rehearsed run's messages: made by the real code, counted, and not handed over."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from campaigns import ledger
from campaigns.journeys.leaving import left_among
from campaigns.ledger import Claim, Outcome, Row
from campaigns.limits import caps
from campaigns.limits.holding import Holding
from campaigns.models import Chunk, ChunkStatus, Delivery, DeliveryStatus, SkipReason
from campaigns.pacing.rates import domain_of
from campaigns.rehearsing.found import Failure, Findings
from campaigns.sending import context
from campaigns.sending.composing import Composer, NotPossible
from personalization.access.jobs.work import Tell, nobody_listens

S = DeliveryStatus
SAMPLES = 3
MAX_FAILURES, EXAMPLES = 200, 50


@contextmanager
def taken_back() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def open_chunks(chunks: QuerySet[Chunk]) -> QuerySet[Chunk]:
    return chunks.exclude(status=ChunkStatus.DONE)


def send(
    found: Findings,
    line: QuerySet[Chunk],
    *,
    until: datetime,
    tell: Callable[[float], None] = nobody_listens,
) -> None:
    """Goes through the chunks of the line in the order of their due times, none before it is due. `tell`
    hears how many are left, with the rest of the one at hand as a part."""
    while (chunk := line.filter(due_at__lte=until).order_by("due_at", "pk").first()) is not None:
        clock = max(chunk.due_at, found.starts_at)
        left = line.count() if tell is not nobody_listens else 0
        _rehearse_chunk(found, chunk, clock, tell=_less(tell, left))


def _less(tell: Callable[[float], None], left: int) -> Tell:
    return lambda share: tell(left - share)


def _rehearse_chunk(found: Findings, chunk: Chunk, clock: datetime, *, tell: Tell) -> None:
    content = context.run_content(chunk.run_id)
    later = ledger.not_due(chunk.pk, now=clock)
    rows = [row for row in ledger.pending(chunk.pk) if row.id not in later]
    data = context.load(content, rows)
    held = _held_back(content, data, rows, clock)
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
        outcomes.append(Outcome(row.id, S.SENT, at=clock, inputs=composer.inputs(row)))
        made[domain_of(composer.address_of(row))] += 1
        if len(found.samples) < SAMPLES:
            found.samples.append(_sample(row.customer_id, message, clock))
    found.due.setdefault(content.channel.name, []).extend((clock, n, domain) for domain, n in made.items())
    _settle(chunk, outcomes, clock)
    tell(1.0)


def _held_back(
    content: context.RunContent, data: context.ChunkData, rows: Sequence[Row], clock: datetime
) -> dict[int, Outcome]:
    """Outcomes, by delivery, of those who get nothing now, as the gate of a real run finds them."""
    gone = left_among([row.occurrence for row in rows if row.occurrence > 0], now=clock)
    refused = {
        row.id: Outcome(row.id, S.SKIPPED, SkipReason.LEFT_JOURNEY, counts=False)
        for row in rows
        if row.occurrence in gone
    }
    holding = Holding(
        data.profiles, timing=content.timing, channel=content.channel.name, topic=content.content["topic"],
        with_locks=False,
    )  # fmt: skip
    return refused | holding.reserve([row for row in rows if row.id not in refused], now=clock)


def _settle(chunk: Chunk, outcomes: list[Outcome], clock: datetime) -> None:
    ledger.record(Claim(chunk.pk, chunk.run_id, "rehearsal", ""), outcomes)
    caps.settle(chunk.pk, now=clock, is_held=True)
    left = Delivery.objects.filter(chunk=chunk, status=S.PENDING).order_by("due_at").first()
    status = ChunkStatus.FREE if left else ChunkStatus.DONE
    due_at = max(left.due_at, clock) if left and left.due_at else clock
    Chunk.objects.filter(pk=chunk.pk).update(status=status, due_at=due_at)


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
