"""Reads of the segments room: who is in, how many, a few of them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from datetime import datetime

from django.core.cache import cache
from django.db import OperationalError, transaction
from django.db.models import Exists, QuerySet
from django.utils.translation import gettext as _

from personalization.customers.models import SOMEBODY, Customer
from personalization.importing.passing import ask
from personalization.segments.compiler import compile_ids, compile_node, sums_up
from personalization.segments.definition import DefinitionError, parse
from personalization.segments.errors import CountTooSlow
from personalization.segments.fields import known_fields
from personalization.segments.models import Segment, SegmentVersion

SIZE_CACHE_SECONDS = 60
TOTAL_CACHE_SECONDS = 15
# Where customers are joined with sums of their events, each parallel worker would make all sums by itself.
NO_WORKERS = {"max_parallel_workers_per_gather": "0"}

__all__ = [
    "count",
    "customer_total",
    "known_fields",
    "members",
    "memberships",
    "size",
    "time_limit",
]


def members(version: SegmentVersion, *, now: datetime) -> QuerySet[Customer]:
    """Raises DefinitionError when the version refers to a segment that is gone."""
    return compile_node(parse(version.definition), now=now, path=(version.segment_id,))


def memberships(customer_id: int, versions: Sequence[SegmentVersion], *, now: datetime) -> set[int]:
    """Ids of the versions this customer is a member of, in one query. Raises DefinitionError as `members`."""
    if not versions:
        return set()
    asked = [Exists(members(version, now=now).filter(pk=customer_id)) for version in versions]
    is_in = Customer.objects.filter(pk=customer_id).values_list(*asked).first() or ()
    return {version.pk for version, one in zip(versions, is_in, strict=False) if one}


def count(definition: object, *, now: datetime) -> int:
    node = parse(definition)
    with _settings(**NO_WORKERS) if sums_up(node) else nullcontext():
        return compile_ids(node, now=now).count()


def customer_total() -> int:
    """All customers, up to TOTAL_CACHE_SECONDS old."""
    total = cache.get("segments:total")
    if total is None:
        total = Customer.objects.filter(SOMEBODY).count()
        cache.set("segments:total", total, TOTAL_CACHE_SECONDS)
    return total


def size(segment: Segment, *, now: datetime, seconds: float = 1.0) -> int | None:
    """Members of the current version, up to a minute old, for a list.

    None when it was never defined, refers to a segment that is gone, or takes longer than `seconds`.
    """
    version = segment.versions.order_by("-number").first()
    if version is None:
        return None
    key = f"segments:size:{version.pk}"
    known = cache.get(key)
    if known is None:
        try:
            with time_limit(seconds):
                known = members(version, now=now).count()
        except (DefinitionError, CountTooSlow):
            known = -1
        cache.set(key, known, SIZE_CACHE_SECONDS)
    return None if known < 0 else known


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Stops queries inside after so long, with CountTooSlow; gives them room to hash customers in memory."""
    try:
        with _settings(statement_timeout=str(int(seconds * 1000)), work_mem="64MB"):
            yield
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None) != "57014":
            raise
        raise CountTooSlow(
            _("Shorten a time window or take conditions away. Saving works all the same.")
        ) from error


@contextmanager
def _settings(**wanted: str) -> Iterator[None]:
    """Of PostgreSQL, for the queries inside."""
    with transaction.atomic():
        reading = ", ".join(["current_setting(%s)"] * len(wanted))
        before = dict(zip(wanted, ask(f"SELECT {reading}", list(wanted))[0], strict=True))
        _set(wanted)
        yield
        # Inside a larger transaction they would hold for all that follows in it: a launch of many.
        _set(before)


def _set(values: Mapping[str, str]) -> None:
    """Until the transaction, or a savepoint that is taken back, ends."""
    writing = ", ".join(["set_config(%s, %s, true)"] * len(values))
    ask(f"SELECT {writing}", [part for pair in values.items() for part in pair])
