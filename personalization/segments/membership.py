"""Who is in each segment, kept as intervals: brought up to date by what changed, and now and then as a whole.

One transaction per segment under the lock of its watch. An event counts some seconds after its commit; what
the changes cannot tell (dates of traits, ranks, items that got another category) comes with the next pass
over everybody.
"""

import hashlib
import itertools
import json
import re
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import DatabaseError, connection, transaction
from django.db.models import F, Q, QuerySet

from personalization.customers.models import Consent, Customer
from personalization.customers.trait_history import TraitChange
from personalization.events.models import Event
from personalization.segments.causes import Causes, causes_of
from personalization.segments.compiler import compile_ids, compile_node, newest_definition
from personalization.segments.definition import DefinitionError, parse
from personalization.segments.errors import kept
from personalization.segments.models import Segment, SegmentVersion, SegmentWatch

# Times are stamped a moment before the transaction begins that writes them.
STAMPED_BEFORE = timedelta(seconds=5)
# No longer than so we wait for a transaction; what it brings later comes with the pass over everybody.
LONGEST_WAIT = timedelta(minutes=2)
FULL_EVERY = timedelta(minutes=10)
FULL_EVERY_BY_CLOCK = timedelta(minutes=1)
# A pass over everybody may take this share of the time.
FULL_SHARE = 0.05
# With more changed customers than this, a pass over everybody is quicker.
MANY = 20_000
log = structlog.get_logger(__name__)


def refresh_all(*, now: datetime) -> int:
    """Brings every segment up to date that nobody else is at; answers how many customers moved."""
    unwatched = Segment.objects.filter(watch=None, archived_at=None).exclude(versions=None)
    new = [SegmentWatch(segment_id=pk) for pk in unwatched.values_list("pk", flat=True).distinct()]
    SegmentWatch.objects.bulk_create(new, ignore_conflicts=True)
    waiting = SegmentWatch.objects.filter(segment__archived_at=None)
    moved = 0
    for pk in list(waiting.order_by(F("checked_at").asc(nulls_first=True)).values_list("pk", flat=True)):
        try:
            moved += refresh_segment(pk, now=now)
        except DatabaseError:
            log.exception("segment_not_refreshed", segment=pk)
    return moved


@transaction.atomic
def refresh_segment(segment_id: int, *, now: datetime) -> int:
    """Answers how many customers entered or left; 0 too when somebody else is at it."""
    locked = SegmentWatch.objects.select_for_update(skip_locked=True, of=("self",))
    watch = locked.filter(pk=segment_id).first()
    if watch is None or (watch.checked_at and watch.checked_at >= now):
        return 0
    version = SegmentVersion.objects.filter(segment_id=segment_id).order_by("-number").first()
    if version is None:
        return 0
    try:
        rule = _Rule(version)
    except DefinitionError as error:
        _note_problem(watch, kept(error), now=now)
        return 0
    seen_until = horizon(now)
    changed = None if _needs_everybody(watch, rule, now=now) else changed_ids(rule.causes, watch, now=now)
    if changed == []:
        moved, inside = [0, 0], 0
    else:
        began = time.monotonic()
        *moved, inside = _apply(watch, rule, only=changed, now=now)
        if changed is None:
            watch.full_at, watch.full_seconds = now, time.monotonic() - began
    watch.since = watch.since or now
    watch.version, watch.rule, watch.problem = version, rule.digest, ""
    watch.checked_at, watch.seen_until = now, seen_until
    # Rows that went with an erased customer are no move: the pass over everybody counts anew.
    watch.member_count = inside if changed is None else watch.member_count + moved[0] - moved[1]
    watch.save()
    return sum(moved)


class _Rule:
    """A version with everything it refers to."""

    def __init__(self, version: SegmentVersion) -> None:
        self.version = version
        self.node = parse(version.definition)
        self.definitions: dict[int, object] = {version.segment_id: version.definition}
        # Compiling once finds circles and segments that are gone.
        compile_node(self.node, now=version.created_at, load=self._load, path=(version.segment_id,))
        text = json.dumps(sorted(self.definitions.items()), sort_keys=True)
        self.digest = hashlib.blake2b(text.encode(), digest_size=32).hexdigest()
        self.causes = causes_of(self.node, lambda pk: parse(self.definitions[pk]))

    def _load(self, segment_id: int) -> object:
        self.definitions[segment_id] = newest_definition(segment_id)
        return self.definitions[segment_id]

    def members(self, *, now: datetime, only: Sequence[int] | None) -> QuerySet[Any]:
        path = (self.version.segment_id,)
        if only is None:
            return compile_ids(self.node, now=now, path=path)
        return compile_node(self.node, now=now, path=path, only=only).values("pk")


def horizon(now: datetime) -> datetime:
    """Everything stamped before this is committed, or never will be."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT min(xact_start) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        (oldest,) = cursor.fetchone()
    return max(min(oldest or now, now) - STAMPED_BEFORE, now - LONGEST_WAIT)


def _needs_everybody(watch: SegmentWatch, rule: _Rule, *, now: datetime) -> bool:
    if watch.full_at is None or watch.rule != rule.digest:
        return True
    by_clock = rule.causes.by_clock or rule.causes.by_rank
    wait = max(
        FULL_EVERY_BY_CLOCK if by_clock else FULL_EVERY,
        timedelta(seconds=watch.full_seconds / FULL_SHARE),
    )
    return now - watch.full_at >= wait


def changed_ids(causes: Causes, watch: SegmentWatch, *, now: datetime) -> list[int] | None:
    """The keys of customers that may have moved since the last look; None: too many to name."""
    assert watch.seen_until is not None and watch.checked_at is not None
    sources: list[QuerySet[Any]] = []
    if causes.events:
        sources.append(Event.objects.filter(received_at__gt=watch.seen_until, name__in=causes.events))
    for name, days in causes.boundaries:
        age = timedelta(days=float(days))
        passed = Q(occurred_at__gte=watch.checked_at - age, occurred_at__lt=now - age)
        sources.append(Event.objects.filter(passed, name=name))
    if causes.traits:
        sources.append(TraitChange.objects.filter(changed_at__gt=watch.seen_until))
    if causes.consent:
        sources.append(Consent.objects.filter(recorded_at__gt=watch.seen_until))
    # New customers, and all those that a file or a merge has changed.
    touched = Customer.objects.filter(updated_at__gt=watch.seen_until)
    lists = [touched.values_list("pk", flat=True)]
    lists += [source.values_list("customer_id", flat=True) for source in sources]
    found: set[int] = set()
    for ids in lists:
        found.update(ids.order_by().distinct()[: MANY + 1])
        if len(found) > MANY:
            return None
    return sorted(found)


def _apply(
    watch: SegmentWatch, rule: _Rule, *, only: list[int] | None, now: datetime
) -> tuple[int, int, int]:
    """Opens and closes intervals in one statement; answers how many entered, left, and are in.

    Whoever is in when the segment is looked at for the first time did not enter just now: that is no move.
    """
    members, parameters = rule.members(now=now, only=only).query.sql_with_params()
    among = "" if only is None else "AND m.customer_id = ANY(%(only)s)"
    numbers = itertools.count()
    marked = re.sub("%%|%s", lambda m: m[0] if m[0] == "%%" else f"%(p{next(numbers)})s", members)
    places: dict[str, Any] = {f"p{place}": value for place, value in enumerate(parameters)}
    places |= {
        "segment": watch.pk, "version": rule.version.pk, "now": now, "only": only,
        "moves": watch.since is not None,
    }  # fmt: skip
    with connection.cursor() as cursor:
        if only is None:
            cursor.execute("SELECT set_config('work_mem', '64MB', true)")
        cursor.execute(_DIFFERENCE.format(members=marked, among=among), places)
        entered, left, inside = cursor.fetchone()
    return entered, left, inside


_DIFFERENCE = """
    WITH inside (id) AS MATERIALIZED ({members}),
    gone AS (
        UPDATE segments_segmentmembership AS m SET left_at = %(now)s
        WHERE m.segment_id = %(segment)s AND m.left_at IS NULL {among}
            AND NOT EXISTS (SELECT FROM inside WHERE inside.id = m.customer_id)
        RETURNING m.customer_id
    ), come AS (
        INSERT INTO segments_segmentmembership (segment_id, customer_id, version_id, entered_at)
        SELECT %(segment)s, inside.id, %(version)s, %(now)s FROM inside
        WHERE NOT EXISTS (SELECT FROM segments_segmentmembership AS m WHERE m.segment_id = %(segment)s
            AND m.customer_id = inside.id AND m.left_at IS NULL)
        RETURNING customer_id
    ), moves AS (
        INSERT INTO segments_segmentmove (segment_id, customer_id, entered, at)
        SELECT %(segment)s, moved.customer_id, moved.entered, %(now)s FROM (
            SELECT customer_id, true AS entered FROM come UNION ALL SELECT customer_id, false FROM gone
        ) AS moved WHERE %(moves)s ORDER BY moved.customer_id
    )
    SELECT (SELECT count(*) FROM come), (SELECT count(*) FROM gone), (SELECT count(*) FROM inside)
"""


def _note_problem(watch: SegmentWatch, problem: str, *, now: datetime) -> None:
    watch.problem, watch.checked_at, watch.full_at = problem[:300], now, None
    watch.save(update_fields=["problem", "checked_at", "full_at"])
