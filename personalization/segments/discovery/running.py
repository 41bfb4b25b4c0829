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
from django.db.models import BigIntegerField, F, Func, Q, QuerySet
from django.utils import timezone

from personalization.customers.models import SOMEBODY, Customer
from personalization.customers.services import write_traits
from personalization.customers.traits import SplitTraits
from personalization.segments.definition import DefinitionError
from personalization.segments.discovery.found import NothingFound, found_groups, found_lookalikes
from personalization.segments.models import Discovery, DiscoveryStatus
from personalization.traits.services import remove_values

LEASE = timedelta(minutes=10)
CHUNK = 2_000
# Of the progress: reading the sample and learning, before the chunks.
SHARE_OF_LEARNING = 0.3
log = structlog.get_logger(__name__)
Values = Callable[[Sequence[int]], dict[int, Any]]


class Lost(Exception):
    """Canceled, removed, or continued by another worker."""


def due_discoveries(*, now: datetime) -> list[int]:
    """What waits, whose worker died, and what is to be found anew by its schedule."""
    due = Q(status=DiscoveryStatus.WAITING) | Q(status=DiscoveryStatus.RUNNING, lease_until__lt=now)
    keys = set(Discovery.objects.filter(due).values_list("pk", flat=True))
    ended = Discovery.objects.filter(
        status__in=(DiscoveryStatus.DONE, DiscoveryStatus.FAILED), every_days__gt=0
    )
    for pk, finished_at, days in ended.values_list("pk", "finished_at", "every_days"):
        if finished_at is None or now - finished_at >= timedelta(days=days):
            keys.add(pk)
    return sorted(keys)


def run_discovery(pk: int, *, now: datetime) -> Discovery | None:
    """Carries it to its end; None when it is somebody else's or not due. Twice does no harm."""
    discovery = _claim(pk, now=now)
    if discovery is None:
        return None
    try:
        _find(discovery, now=now)
    except Lost:
        pass
    except (NothingFound, DefinitionError) as error:
        # What was found before is no longer true; profiles and segments must not go on telling it.
        _tell(discovery, share_done=SHARE_OF_LEARNING)
        remove_values(discovery.trait)
        result = error.result if isinstance(error, NothingFound) else {}
        _end(discovery, DiscoveryStatus.DONE, problem=str(error), model={}, result=result)
    except Exception as error:
        _end(discovery, DiscoveryStatus.FAILED, problem=type(error).__name__)
        raise
    return Discovery.objects.filter(pk=pk).first()


def _claim(pk: int, *, now: datetime) -> Discovery | None:
    if pk not in due_discoveries(now=now):
        return None
    with transaction.atomic():
        row = Discovery.objects.select_for_update(skip_locked=True, of=("self",)).filter(pk=pk).first()
        if row is None or (
            row.status == DiscoveryStatus.RUNNING and row.lease_until and row.lease_until >= now
        ):
            return None
        row.status, row.worker, row.lease_until = DiscoveryStatus.RUNNING, uuid.uuid4(), now + LEASE
        row.started_at, row.finished_at, row.share_done = now, None, 0.0
        row.save(update_fields=["status", "worker", "lease_until", "started_at", "finished_at", "share_done"])
    return row


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
        own = _write(discovery, ids, values)
        for value in own.values():
            if isinstance(value, str):
                sizes[value] = sizes.get(value, 0) + 1
        done += len(ids)
        share = SHARE_OF_LEARNING + (1 - SHARE_OF_LEARNING) * min(done / total, 1.0)
        _tell(discovery, share_done=share)
    for group in result.get("groups", []):
        group["customers"] = sizes.get(group["letter"], 0)
    _end(discovery, DiscoveryStatus.DONE, model=model, result=result)


@transaction.atomic
def _write(discovery: Discovery, ids: Sequence[int], values: Values) -> dict[int, Any]:
    """Writes what changed; who is in `ids` and gets no value loses an older one."""
    own = values(ids)
    name = discovery.trait
    before = dict(Customer.objects.filter(pk__in=ids).values_list("pk", f"traits__{name}"))
    changes = [(pk, SplitTraits({}, {name: own.get(pk)})) for pk in before if before[pk] != own.get(pk)]
    write_traits(changes, by_us=True)
    return own


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
    if not _own(discovery).update(share_done=share_done, lease_until=timezone.now() + LEASE):
        raise Lost


def _end(discovery: Discovery, status: DiscoveryStatus, *, problem: str = "", **changes: Any) -> None:
    _own(discovery).update(
        status=status, problem=problem[:300], finished_at=timezone.now(), lease_until=None, share_done=1.0,
        **changes,
    )  # fmt: skip
    log.info("discovery_ended", discovery=discovery.pk, status=status.value)


def _own(discovery: Discovery) -> QuerySet[Discovery]:
    return Discovery.objects.filter(pk=discovery.pk, worker=discovery.worker, status=DiscoveryStatus.RUNNING)
