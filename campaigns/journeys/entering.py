"""Letting customers into a journey, and waking those for whom something happened."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.db import connection, transaction
from psycopg.types.json import Jsonb

from campaigns.journeys import entries
from campaigns.journeys.entries import Entrant
from campaigns.journeys.entries._base import HEARD, OVERLAP
from campaigns.journeys.graph import Graph
from campaigns.journeys.versions import graph_of
from campaigns.models import Journey, JourneyStatus, JourneyVersion
from personalization.events.models import Event

BATCH = 10_000


def look(journey_id: int, *, now: datetime, by: str = HEARD) -> int:
    """Lets in whom the journey's entry finds since the last look, and wakes those inside for whom something
    happened; answers how many came in. One look at a time; of two at once the second does nothing. `by`:
    which time of an event counts."""
    with transaction.atomic():
        journey = (
            Journey.objects.select_for_update(skip_locked=True)
            .filter(pk=journey_id, status=JourneyStatus.ACTIVE)
            .first()
        )
        if journey is None:
            return 0
        version = journey.versions.latest("number")
        graph = graph_of(version)
        since = journey.read_at or journey.opened_at or now
        kind = entries.get(graph.entry_kind)
        wake(journey, since=since, now=now, by=by)
        if now - since < kind.every:
            return 0
        found = kind.find(journey, graph.entry_params, since=since, now=now, by=by)
        entered = enter(journey, version, graph, found, now=now)
        Journey.objects.filter(pk=journey.pk).update(read_at=now)
    return entered


def enter(
    journey: Journey,
    version: JourneyVersion,
    graph: Graph,
    entrants: Iterable[Entrant],
    *,
    now: datetime,
    is_test: bool = False,
) -> int:
    """Lets in those whom the re-entry rule allows; nobody stands in a journey twice at once. Tests and real
    entries know nothing of each other."""
    entered = 0
    for batch in _batches(entrants):
        values: dict[str, Any] = {
            "journey": journey.pk, "version": version.pk, "node": graph.start, "now": now,
            "customers": [one.customer_id for one in batch], "keys": [one.key[:200] for one in batch],
            "ats": [one.at for one in batch], "entries": [Jsonb(dict(one.entry)) for one in batch],
            "rule": graph.reentry, "pause": timedelta(days=graph.reentry_days), "is_test": is_test,
        }  # fmt: skip
        with connection.cursor() as cursor:
            cursor.execute(_ENTER, values)
            entered += cursor.rowcount
    return entered


def _batches(entrants: Iterable[Entrant]) -> Iterator[list[Entrant]]:
    remaining = iter(entrants)
    while batch := list(islice(remaining, BATCH)):
        yield batch


def wake(journey: Journey, *, since: datetime, now: datetime, by: str = HEARD) -> int:
    """Those inside who did something that a rule or their node waits for are due now."""
    woken = 0
    for version in journey.versions.filter(passages__status="inside").distinct():
        graph = graph_of(version)
        for name, keys in _waiting(graph).items():
            with connection.cursor() as cursor:
                cursor.execute(_WAKE.format(by=by), [now, version.pk, keys, now, name, since - OVERLAP, now])
                woken += cursor.rowcount
    return woken


def first_event(graph: Graph, *, after: datetime) -> datetime | None:
    """When something happens next that lets in or wakes; None when nothing is on record."""
    names = set(_waiting(graph))
    if graph.entry_kind == "event":
        names.add(str(graph.entry_params["event"]))
    moments = (
        Event.objects.filter(name=name, occurred_at__gt=after)
        .order_by("occurred_at")
        .values_list("occurred_at", flat=True)
        .first()
        for name in names
    )
    return min((at for at in moments if at), default=None)


def _waiting(graph: Graph) -> dict[str, list[str]]:
    """By event, the nodes at which somebody may wait for it: all of them when it takes people out."""
    found = {name: list(graph.nodes) for name in graph.exit_events}
    for key, spec in graph.nodes.items():
        if spec.kind == "until_event" and str(spec.params["event"]) not in graph.exit_events:
            found.setdefault(str(spec.params["event"]), []).append(key)
    return found


# Of several reasons to come in at once the first counts.
_ENTER = """
    INSERT INTO campaigns_passage (journey_id, version_id, customer_id, entry_key, entry, status, node,
        entered_at, arrived_at, due_at, end_reason, is_test)
    SELECT %(journey)s, %(version)s, n.customer_id, n.key, n.entry, 'inside', %(node)s, n.at, n.at,
        %(now)s, '', %(is_test)s
    FROM (
        SELECT DISTINCT ON (customer_id) * FROM unnest(
            %(customers)s::bigint[], %(keys)s::text[], %(ats)s::timestamptz[], %(entries)s::jsonb[]
        ) AS given(customer_id, key, at, entry) ORDER BY customer_id, at
    ) AS n
    JOIN customers_customer AS c ON c.id = n.customer_id
    WHERE NOT EXISTS (
        SELECT FROM campaigns_passage AS p WHERE p.journey_id = %(journey)s AND p.customer_id = n.customer_id
            AND p.is_test = %(is_test)s
            AND (p.status = 'inside' OR p.entry_key = n.key OR %(rule)s = 'never'
                OR (%(rule)s = 'after' AND p.entered_at > n.at - %(pause)s::interval))
    )
    ORDER BY n.customer_id
    ON CONFLICT DO NOTHING
"""
_WAKE = """
    UPDATE campaigns_passage AS p SET due_at = %s
    WHERE p.version_id = %s AND p.status = 'inside' AND p.node = ANY(%s) AND p.due_at > %s
        AND EXISTS (
            SELECT FROM events_event AS e WHERE e.customer_id = p.customer_id AND e.name = %s
                AND e.{by} > %s AND e.{by} <= %s AND e.occurred_at >= p.entered_at
        )
"""
