"""One discovery from its sample to the traits of everybody: whoever holds its lease writes.

The model is learned from a sample; then the customers go by in chunks, each a transaction of its own. A
worker that was canceled, or lost its lease, cannot write the next chunk; a killed one is begun anew.
"""

import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import transaction
from django.db.models import BigIntegerField, DurationField, ExpressionWrapper, F, Func, Q, QuerySet, Value
from django.utils import timezone

from personalization.access.jobs import work
from personalization.access.jobs.lease import Lease, Lost, WorkersDied
from personalization.customers.models import SOMEBODY, Customer
from personalization.customers.services import write_traits
from personalization.customers.traits import SplitTraits
from personalization.segments import errors
from personalization.segments.definition import DefinitionError
from personalization.segments.discovery.found import NothingFound, found_groups, found_lookalikes
from personalization.segments.models import Discovery, DiscoveryStatus
from personalization.traits.services import remove_values

LEASE = Lease(
    Discovery, DiscoveryStatus.WAITING, DiscoveryStatus.RUNNING, timedelta(minutes=10), mark="worker"
)
CHUNK = 2_000
# Of the progress: reading the sample and learning, before the chunks.
SHARE_OF_LEARNING = 0.3
log = structlog.get_logger(__name__)
Values = Callable[[Sequence[int]], dict[int, Any]]


def due_discoveries(*, now: datetime) -> list[int]:
    """What waits, whose worker died, and what is to be found anew by its schedule."""
    return list(Discovery.objects.filter(_due(now)).order_by("pk").values_list("pk", flat=True))


def _due(now: datetime) -> Q:
    ended = Q(status__in=(DiscoveryStatus.DONE, DiscoveryStatus.FAILED), every_days__gt=0)
    days = ExpressionWrapper(F("every_days") * Value(timedelta(days=1)), output_field=DurationField())
    return LEASE.due(now) | ended & (Q(finished_at=None) | Q(finished_at__lte=Value(now) - days))


def run_discovery(pk: int, *, now: datetime) -> Discovery | None:
    """Carries it to its end; None when it is somebody else's or not due. Twice does no harm."""
    discovery = LEASE.take(
        pk, _due(now), now=now, worker=uuid.uuid4(), started_at=now, finished_at=None, share_done=0.0
    )
    if discovery is None:
        return None
    try:
        LEASE.check(discovery)
        _carry_out(discovery, now=now)
    except Lost:
        log.info("discovery_lost", discovery=pk)
    except WorkersDied as error:
        _end(discovery, DiscoveryStatus.FAILED, problem=work.kept(error))
    except Exception as error:
        _end(discovery, DiscoveryStatus.FAILED, problem=work.kept(error))
        raise
    return Discovery.objects.filter(pk=pk).first()


def _carry_out(discovery: Discovery, *, now: datetime) -> None:
    try:
        _find(discovery, now=now)
    except (NothingFound, DefinitionError) as error:
        why = errors.kept(error) if isinstance(error, DefinitionError) else str(error)
        # What was found before is no longer true; profiles and segments must not go on telling it.
        _tell(discovery, share_done=SHARE_OF_LEARNING)
        remove_values(discovery.trait)
        result = error.result if isinstance(error, NothingFound) else {}
        _end(discovery, DiscoveryStatus.DONE, problem=why, model={}, result=result)


def _find(discovery: Discovery, *, now: datetime) -> None:
    def sample(people: QuerySet[Customer], n: int) -> list[int]:
        _tell(discovery, share_done=discovery.share_done + 0.05)
        return list(people.order_by(_shuffled()).values_list("pk", flat=True)[:n])

    find = found_groups if discovery.makes_groups else found_lookalikes
    model, result, values = find(discovery, sample, now=now)
    _tell(discovery, share_done=SHARE_OF_LEARNING)
    sizes: dict[str, int] = {}
    total = max(Customer.objects.filter(SOMEBODY).count(), 1)
    done = 0
    for ids in _everybody():
        done += len(ids)
        share = SHARE_OF_LEARNING + (1 - SHARE_OF_LEARNING) * min(done / total, 1.0)
        own = values(ids)
        _write(discovery, ids, own, share_done=share)
        for value in own.values():
            if isinstance(value, str):
                sizes[value] = sizes.get(value, 0) + 1
    for group in result.get("groups", []):
        group["customers"] = sizes.get(group["letter"], 0)
    _end(discovery, DiscoveryStatus.DONE, model=model, result=result)


@transaction.atomic
def _write(discovery: Discovery, ids: Sequence[int], own: dict[int, Any], *, share_done: float) -> None:
    """Writes what changed; who is in `ids` and has no value loses an older one. Raises Lost."""
    # Also locks the row: whoever cancels or removes it waits for this chunk, or comes before it.
    _tell(discovery, share_done=share_done)
    name = discovery.trait
    before = dict(Customer.objects.filter(pk__in=ids).values_list("pk", f"traits__{name}"))
    changes = [(pk, SplitTraits({}, {name: own.get(pk)})) for pk in before if before[pk] != own.get(pk)]
    write_traits(changes, by_us=True)


def _everybody() -> Iterator[list[int]]:
    last = 0
    while ids := list(
        Customer.objects.filter(SOMEBODY, pk__gt=last).order_by("pk").values_list("pk", flat=True)[:CHUNK]
    ):
        last = ids[-1]
        yield ids


def _shuffled() -> Func:
    """The same order every time, and none that has to do with when they came."""
    return Func(F("pk"), 42, function="hashint8extended", output_field=BigIntegerField())


def _tell(discovery: Discovery, *, share_done: float) -> None:
    """How far it is. Raises Lost when it is no longer ours."""
    discovery.share_done = share_done
    if not LEASE.keep(discovery, share_done=share_done):
        raise Lost


def _end(discovery: Discovery, status: DiscoveryStatus, *, problem: str = "", **changes: Any) -> None:
    LEASE.end(discovery, status, problem=problem[:300], finished_at=timezone.now(), share_done=1.0, **changes)
    log.info("discovery_ended", discovery=discovery.pk, status=status.value)
