"""Reads of memberships over time: who was in when, how many, and who entered or left since."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, DateTimeField, OuterRef, Q, QuerySet
from django.db.models.functions import Trunc
from django.utils.translation import gettext_lazy

from personalization.access.problems import ProblemError
from personalization.segments.models import Segment, SegmentMembership, SegmentMove, SegmentWatch


class NotWatchedThen(ProblemError):
    """Nobody kept count at that time."""

    status = 409
    slug = "segment-not-watched-then"
    title = gettext_lazy("The members of the segment were not recorded at that time")


@dataclass(frozen=True)
class Size:
    """`members` at the end of the period that begins at `at`."""

    at: datetime
    members: int
    entered: int
    left: int


def members_at(segment: Segment, *, at: datetime) -> QuerySet[SegmentMembership]:
    """Exactly who was in at that moment, by the definition of that time. Raises NotWatchedThen."""
    watch = SegmentWatch.objects.filter(segment=segment).first()
    if watch is None or watch.since is None or at < watch.since:
        raise NotWatchedThen(since_text(watch))
    return members_then(segment, at=at).order_by("customer_id")


def members_then(segment: Segment, *, at: datetime | OuterRef) -> QuerySet[SegmentMembership]:
    """As far as recorded, see `recorded_between`; `at` may be a time of an outer query."""
    return SegmentMembership.objects.filter(
        Q(left_at=None) | Q(left_at__gt=at), segment=segment, entered_at__lte=at
    )


def recorded_between(segment: Segment) -> tuple[datetime, datetime] | None:
    """From when and until when its members are recorded; None before the first check."""
    watch = SegmentWatch.objects.filter(segment=segment).first()
    # A definition that cannot be read is checked in vain.
    until = watch and (watch.seen_until if watch.problem else watch.checked_at)
    return (watch.since, until) if watch and watch.since and until else None


def member_total(segment: Segment) -> int:
    """The recorded members now, without those who were erased since the last look."""
    return SegmentMembership.objects.filter(segment=segment, left_at=None).count()


def since_text(watch: SegmentWatch | None) -> str:
    known = watch.since if watch else None
    if known is None:
        return str(
            gettext_lazy("Its members are recorded from the first check on, which comes within seconds.")
        )
    return str(gettext_lazy("They are recorded since %(since)s.")) % {
        "since": f"{known:%Y-%m-%d %H:%M:%S} UTC"
    }


def sizes(segment: Segment, *, since: datetime, until: datetime) -> list[Size]:
    """By the hour for up to 3 days, else by the day (UTC); from the first record on. Empty before that."""
    watch = SegmentWatch.objects.filter(segment=segment).first()
    if watch is None or watch.since is None or until <= watch.since:
        return []
    kind, step = (
        ("hour", timedelta(hours=1)) if until - since <= timedelta(days=3) else ("day", timedelta(days=1))
    )
    start = max(since, watch.since).replace(minute=0, second=0, microsecond=0)
    start = start.replace(hour=0) if kind == "day" else start
    rows = SegmentMembership.objects.filter(segment=segment)
    # Who was in at the first look did not enter then.
    came = rows.exclude(entered_at=watch.since).filter(entered_at__gte=start, entered_at__lt=until)
    entered = _by_period(came, "entered_at", kind)
    left = _by_period(rows.filter(left_at__gte=start, left_at__lt=until), "left_at", kind)
    before = Q(entered_at__lt=start) | Q(entered_at=watch.since)
    members = rows.filter(before, Q(left_at=None) | Q(left_at__gte=start)).count()
    found = []
    while start < until:
        come, gone = entered.get(start, 0), left.get(start, 0)
        members += come - gone
        found.append(Size(start, members, come, gone))
        start += step
    return found


def _by_period(rows: QuerySet[SegmentMembership], column: str, kind: str) -> dict[datetime, int]:
    period = Trunc(column, kind, output_field=DateTimeField())
    counted = rows.order_by().annotate(period=period).values("period").annotate(n=Count("pk"))
    return {row["period"]: row["n"] for row in counted}


def latest_cursor(segment_id: int) -> int:
    """Where to begin so that only later moves are heard."""
    last = SegmentMove.objects.filter(segment_id=segment_id).order_by("-pk").values_list("pk", flat=True)
    return last.first() or 0


def changes_since(segment_id: int, *, cursor: int, limit: int = 1000) -> tuple[list[SegmentMove], int]:
    """The next entries and exits in their order, and the cursor to go on from. None is ever missed or told
    twice: the moves of one segment become visible in the order of their numbers."""
    moves = list(SegmentMove.objects.filter(segment_id=segment_id, pk__gt=cursor).order_by("pk")[:limit])
    return moves, moves[-1].pk if moves else cursor
