"""The way of one chunk: claim, learn from the journal, load, judge again, render, send, settle.

A worker that is killed anywhere on this way loses nothing and doubles nothing: what was handed over stands in
the journal, what has no line there was certainly not taken.
"""

import threading
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_noop

from campaigns import ledger
from campaigns.ledger import Claim, Outcome, Row
from campaigns.limits.holding import Holding
from campaigns.models import DeliveryStatus
from campaigns.pacing.spreading import spread_out
from campaigns.sending import collector, context, devices, journal, observing
from campaigns.sending.composing import Composer
from campaigns.sending.gate import Gate, LeaseLost
from campaigns.sending.handing import Handing
from campaigns.sending.journal import Journal, JournalError
from campaigns.sending.making import Making
from campaigns.sending.settling import give_up, store
from campaigns.sending.throttle import Full, Throttle
from campaigns.transport.session import ChannelError, Session

log = structlog.get_logger(__name__)
S = DeliveryStatus
LOST_JOURNAL = gettext_noop("the machine that was sending restarted or is gone; its journal cannot tell")
NO_RESULT = gettext_noop("handed over, then the worker died before the answer")


class _Sessions(threading.local):
    """Open connections by channel, and silent ones for tests. A thread's own: one carries one message at a
    time."""

    def __init__(self) -> None:
        self.by_channel: dict[tuple[str, bool], Session] = {}


_sessions = _Sessions()


@dataclass(frozen=True)
class Report:
    """What one call did. `claimed` is false when the chunk was not to be had."""

    claimed: bool
    sent: int = 0
    outcomes: int = 0


def send_chunk(chunk_id: int) -> Report:
    """Sends what is pending in the chunk. Safe to call at any time, by anybody, any number of times."""
    folder = settings.JOURNAL_DIR
    try:
        mine = journal.identity(folder)
        pages = Journal.open(folder, chunk_id)
    except (JournalError, OSError) as error:
        log.error("journal_unusable", chunk=chunk_id, error=str(error))
        return Report(False)
    if pages is None:
        return Report(False)
    try:
        owner = f"{mine}/{uuid.uuid4().hex[:16]}"
        deadline_from = time.monotonic()
        claim = ledger.claim(chunk_id, owner=owner, journal=mine)
        if claim is None:
            _remove_if_unused(pages, chunk_id)
            return Report(False)
        return _work(claim, pages, mine, deadline_from)
    finally:
        pages.close()


def _remove_if_unused(pages: Journal, chunk_id: int) -> None:
    """An empty file was made only to take the lock; a full one still has something to tell."""
    if pages.is_empty:
        pages.discard()


def _work(claim: Claim, pages: Journal, mine: str, deadline_from: float) -> Report:
    run = context.run_content(claim.run_id)
    with observing.sending(claim, run), collector.at_rest():
        return _work_on(run, claim, pages, mine, deadline_from)


def _work_on(
    run: context.RunContent, claim: Claim, pages: Journal, mine: str, deadline_from: float
) -> Report:
    rows = ledger.pending(claim.chunk_id)
    recovered = _recover(claim, pages, rows, mine)
    known = {outcome.delivery_id for outcome in recovered}
    left = [row for row in rows if row.id not in known]
    if recovered and not store(claim, run, rows, recovered):
        return Report(True)
    gate = Gate(claim, run, deadline_from=deadline_from)
    outcomes: list[Outcome] = []
    retry_at = None
    later = ledger.not_due(claim.chunk_id, now=timezone.now())
    due = [row for row in left if row.id not in later]
    if gate.goes_on() and due:
        pages.mend()
        outcomes, retry_at = _send_rows(run, due, pages, gate)
    settled = store(claim, run, left, outcomes, release=True, retry_at=retry_at)
    observing.tell(run, [*recovered, *outcomes])
    if settled:
        pages.discard()
    return Report(True, sum(o.status == S.SENT for o in outcomes), len(outcomes))


def _recover(claim: Claim, pages: Journal, rows: list[Row], mine: str) -> list[Outcome]:
    """What the last holder of the chunk did and could not write to the database."""
    if not claim.previous_owner:
        return []
    if claim.previous_owner.rpartition("/")[0] != mine:
        # Another machine's journal, or ours from before a reboot, which may miss its last lines.
        return [Outcome(row.id, S.UNKNOWN, detail=LOST_JOURNAL) for row in rows]
    tries, inputs = pages.read()
    found = []
    for row in rows:
        entry = tries.get((row.id, row.attempt))
        status = devices.status_of(entry) if entry else None
        if entry is None or status is None:
            continue
        outcome = Outcome(
            row.id,
            status,
            detail=entry.detail if entry.status else NO_RESULT,
            at=datetime.fromtimestamp(entry.at, UTC),
            inputs=inputs.get(row.id),
            copy=entry.copy,
            devices=entry.devices,
        )
        found.append(give_up(outcome, row))
    return found


def _send_rows(
    run: context.RunContent, rows: list[Row], pages: Journal, gate: Gate
) -> tuple[list[Outcome], datetime | None]:
    """Outcomes of those handled, and when to go on with the rest (None: when they are due)."""
    outcomes: list[Outcome] = []
    backoff = timedelta(seconds=settings.SEND_RETRY_SECONDS)
    session = _session(run)
    throttle = Throttle(gate, session, channel=run.channel.name)
    try:
        rows, waiting = throttle.start(rows)
        outcomes.extend(waiting)
        data, now = context.load(run, rows), timezone.now()
        held = gate.reserve(rows, _holding(run, data))
        outcomes.extend(held.values())
        rows = [row for row in rows if row.id not in held]
        data = context.load_needs(run, data, rows, at=now, is_real=not run.is_test)
        composer = Composer(run, data, at=now)
        pages.inputs({row.id: found for row in rows if (found := composer.inputs(row))})
        making = Making(
            run, rows, gate=gate, composer=composer, session=session, throttle=throttle, outcomes=outcomes
        )
        handing = Handing(pages, gate=gate, composer=composer, outcomes=outcomes)
        handing.all(making, session, throttle)
    except Full as error:
        # Nobody of the rest was touched: it waits in line for tokens.
        return outcomes, spread_out(gate.claim, error.wait_seconds, per_second=throttle.per_second)
    except LeaseLost as error:
        log.warning("chunk_given_back", reason=str(error))
    except JournalError as error:
        # Nothing may be handed over that cannot be written down; the rest waits for space.
        log.error("journal_unusable", error=str(error))
        return outcomes, timezone.now() + backoff
    except ChannelError as error:
        log.warning("channel_unreachable", error=str(error))
        return outcomes, timezone.now() + backoff
    finally:
        throttle.close()
        structlog.contextvars.unbind_contextvars("delivery")
    return outcomes, None


def _holding(run: context.RunContent, data: context.ChunkData) -> Holding | None:
    """A test neither waits nor takes anybody's place under a cap."""
    if run.is_test:
        return None
    return Holding(data.profiles, timing=run.timing, channel=run.channel.name, topic=run.content["topic"])


def _session(run: context.RunContent) -> Session:
    """One per thread and channel, kept from chunk to chunk."""
    session = _sessions.by_channel.get((run.channel.name, run.is_test))
    if session is None:
        session = _sessions.by_channel[run.channel.name, run.is_test] = run.channel.session()
        session.is_silent = run.is_test
    session.check()
    return session


def close_sessions() -> None:
    """Those of this thread: for tests and for the end of a worker."""
    while _sessions.by_channel:
        _sessions.by_channel.popitem()[1].close()
