"""Values of computed traits follow the events; a long refresh says how far it is, and can be stopped."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import DatabaseError, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from personalization.customers.models import Customer, Merge
from personalization.customers.services import write_traits
from personalization.customers.trait_history import TraitChange
from personalization.customers.traits import SplitTraits
from personalization.events.models import Event
from personalization.traits.kind import TraitKind
from personalization.traits.lifetime import TooLittleData
from personalization.traits.models import TraitDefinition
from personalization.traits.registry import kind_of, trait_kinds
from personalization.traits.services import remove_values

CHUNK = 2_000
# An event is stamped before it is committed: what was received shortly before the last look may be new.
OVERLAP = timedelta(minutes=2)
# Learning of all customers gives no sign of life; each chunk does. Whoever gave none for so long is dead.
LEASE, CHUNK_LEASE = timedelta(minutes=30), timedelta(minutes=5)
# Too little data does not become enough within minutes, and looking costs a read of all.
RETRY = timedelta(hours=1)
DAY = timedelta(days=1)
A_MOMENT = timedelta(seconds=3)
log = structlog.get_logger(__name__)


def refresh_due(*, now: datetime, prompt: bool = False) -> int:
    """Refreshes every active trait that nobody else is at; answers how many values changed.

    `prompt`: only those of kinds that follow within seconds, as far as they need no long look at everybody.
    One that fails keeps its lease, so it is tried again later, and does not hold up the others.
    """
    active = TraitDefinition.objects.filter(is_active=True, kind__in=trait_kinds())
    hopeless = ~Q(problem="") & Q(refreshed_at__gt=now - RETRY)
    changed = 0
    due = active.exclude(hopeless)
    if prompt:
        prompt_kinds = [name for name, kind in trait_kinds().items() if kind.is_prompt]
        due = due.filter(kind__in=prompt_kinds).exclude(full_at=None)
    for definition in due.order_by(F("refreshed_at").asc(nulls_first=True)):
        if prompt and _learning_due(definition, kind_of(definition.kind), now=now):
            continue
        try:
            changed += refresh(definition, now=now)
        except (DatabaseError, ArithmeticError, ValueError):
            log.exception("trait_not_refreshed", trait=definition.name)
            TraitDefinition.objects.filter(pk=definition.pk).update(started_at=None)
    return changed


def refresh(definition: TraitDefinition, *, now: datetime) -> int:
    """Computes the values that may have changed since the last refresh; answers how many did.

    Those are of customers with events received since, or with an event that left a window meanwhile; of
    everybody the first time, after learning anew, and daily where time alone moves the value. Ends early
    when the definition is switched off, changed or removed meanwhile.
    """
    free = Q(leased_until=None) | Q(leased_until__lt=now)
    taken = TraitDefinition.objects.filter(free, pk=definition.pk).update(
        leased_until=now + LEASE, started_at=timezone.now(), share_done=0
    )
    if not taken:
        return 0
    definition.refresh_from_db()
    kind = kind_of(definition.kind)
    try:
        full = _learn(definition, kind, now=now)
    except TooLittleData as error:
        # What can no longer be told is not kept as if it could.
        if definition.covered:
            remove_values(definition.name)
        _finish(definition, now=now, covered=0, problem=str(error) or kind.too_little)
        return 0
    return _compute(definition, kind, full=full, now=now)


def _compute(definition: TraitDefinition, kind: TraitKind, *, full: bool, now: datetime) -> int:
    if full:
        many, chunks, covered = Customer.objects.count(), _everybody(), 0
    else:
        ids = _stale(definition, kind, now=now)
        many, chunks, covered = len(ids), _in_chunks(ids), definition.covered
    changed = done = 0
    for chunk in chunks:
        goes_on = not done or _goes_on(definition, share=min(done / many, 1.0), covered=covered)
        counts = _refresh_chunk(definition, kind, chunk, now=now) if goes_on else None
        if counts is None:
            log.info("trait_refresh_stopped", trait=definition.name)
            return changed
        differences, had, have = counts
        changed, done = changed + differences, done + len(chunk)
        covered = max(covered + have - (0 if full else had), 0)
    _finish(definition, now=now, covered=covered, full=full)
    return changed


def _goes_on(definition: TraitDefinition, *, share: float, covered: int) -> bool:
    """Keeps the lease and says how far it is; False once it was switched off, changed or removed."""
    until = timezone.now() + CHUNK_LEASE
    return bool(_own(definition).update(share_done=share, covered=covered, leased_until=until))


def _own(definition: TraitDefinition) -> QuerySet[TraitDefinition]:
    """The row, as long as this refresh is the one that may write it."""
    return TraitDefinition.objects.filter(pk=definition.pk, is_active=True, started_at=definition.started_at)


def under_way() -> QuerySet[TraitDefinition]:
    """Refreshes that take longer than a moment."""
    begun = TraitDefinition.objects.filter(leased_until__gt=Now(), started_at__lt=Now() - A_MOMENT)
    return begun.defer("state").order_by("started_at", "pk")


def _learn(definition: TraitDefinition, kind: TraitKind, *, now: datetime) -> bool:
    """Learns of all customers where that is due; True when everybody must be computed."""
    full = definition.full_at is None or (kind.is_daily and now - definition.full_at >= DAY)
    if _learning_due(definition, kind, now=now):
        definition.state = {**kind.learn(definition, now=now), "learned_at": now.isoformat()}
        full = True
    return full


def _learning_due(definition: TraitDefinition, kind: TraitKind, *, now: datetime) -> bool:
    learned = definition.state.get("learned_at")
    if not kind.learns:
        return False
    if learned is None or now - datetime.fromisoformat(learned) >= kind.relearn_days * DAY:
        return True
    return kind.is_outdated(definition)


def _finish(
    definition: TraitDefinition, *, now: datetime, covered: int, full: bool = False, problem: str = ""
) -> None:
    learned = {"full_at": now, "state": definition.state} if full else {}
    _own(definition).update(
        refreshed_at=now, covered=covered, problem=problem, leased_until=None, started_at=None, **learned
    )


def _everybody() -> Iterator[list[int]]:
    last = 0
    while True:
        ids = list(Customer.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:CHUNK])
        if not ids:
            return
        last = ids[-1]
        yield ids


def _stale(definition: TraitDefinition, kind: TraitKind, *, now: datetime) -> list[int]:
    since = definition.refreshed_at
    assert since is not None
    # Who gave events back has none that were received since.
    undone = Merge.objects.filter(undone_at__gt=since - OVERLAP)
    ids = set(undone.values_list("survivor_id", flat=True))
    if traits := kind.traits(definition):
        changes = TraitChange.objects.filter(name__in=traits, changed_at__gt=since - OVERLAP)
        ids.update(changes.values_list("customer_id", flat=True).distinct())
        return sorted(ids)
    names = kind.events(definition)
    events = Event.objects.filter(name__in=names) if names else Event.objects.all()
    new = events.filter(received_at__gt=since - OVERLAP)
    ids.update(new.values_list("customer_id", flat=True).distinct())
    for days in kind.boundaries(definition):
        window = timedelta(days=days)
        # Both ends: what was on the edge at the last look may have been inside of it still.
        left = events.filter(occurred_at__gte=since - window, occurred_at__lte=now - window)
        ids.update(left.values_list("customer_id", flat=True).distinct())
    return sorted(ids)


def _in_chunks(ids: list[int]) -> Iterator[list[int]]:
    return (ids[at : at + CHUNK] for at in range(0, len(ids), CHUNK))


@transaction.atomic
def _refresh_chunk(
    definition: TraitDefinition, kind: TraitKind, ids: Sequence[int], *, now: datetime
) -> tuple[int, int, int] | None:
    """How many values changed, how many customers had one, and how many have one now; None, and nothing is
    written, once the definition was switched off, changed or removed."""
    name = definition.name
    values = kind.compute(definition, ids, now=now)
    # Whoever does that waits for the end of this chunk: no value is written after it was removed.
    if not _own(definition).select_for_update().values_list("pk").first():
        return None
    before: dict[int, Any] = {
        pk: traits.get(name) for pk, traits in Customer.objects.filter(pk__in=ids).values_list("pk", "traits")
    }
    changes = [
        (pk, SplitTraits({}, {name: values.get(pk)})) for pk, old in before.items() if old != values.get(pk)
    ]
    write_traits(changes, by_us=True)
    had = sum(value is not None for value in before.values())
    return len(changes), had, sum(pk in before for pk in values)
