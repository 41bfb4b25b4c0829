"""The engine: a batch of travelers at one node is claimed, decided about and moved in one transaction.

The transaction is the lease: a worker that is killed leaves its batch as it was, with nothing written, also
no message and no call. Workers skip the rows that others hold.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from django.db import connection, transaction

from campaigns.journeys import leaving, nodes
from campaigns.journeys.graph import ExitRule, Graph
from campaigns.journeys.nodes import Move, Place, Stay, Traveler
from campaigns.journeys.versions import graph_of
from campaigns.models import JourneyStatus, JourneyVersion, PassageStatus

log = structlog.get_logger(__name__)
BATCH = 5_000
LEFT = "left"  # the way out of whom a rule takes out, from any step


@dataclass(frozen=True)
class Due:
    version_id: int
    node: str


@dataclass(frozen=True)
class _Row:
    """What becomes of one passage: where it stands next (None: nowhere, it ended) and why."""

    id: int
    node: str | None
    due_at: datetime
    exit: str = ""  # "" when it stays
    detail: str = ""
    status: str = PassageStatus.INSIDE
    reason: str = ""
    is_goal: bool = False


def due_nodes(*, now: datetime, journey_id: int | None = None, limit: int = 200) -> list[Due]:
    """Nodes of active journeys, or of the one named, at which somebody is due."""
    with connection.cursor() as cursor:
        cursor.execute(_DUE_NODES, {"now": now, "journey": journey_id, "limit": limit})
        return [Due(*row) for row in cursor.fetchall()]


def step(due: Due, *, now: datetime, limit: int = BATCH) -> int:
    """Moves up to `limit` of those who are due at the node; answers how many were looked at."""
    with transaction.atomic():
        travelers = _claim(due, now, limit)
        if not travelers:
            return 0
        version = JourneyVersion.objects.select_related("journey").get(pk=due.version_id)
        graph = graph_of(version)
        rows = list(_leaving(graph.exits, travelers, now).values())
        gone = {row.id for row in rows}
        going = [one for one in travelers if one.id not in gone]
        rows += _decided(graph, version, due.node, going, now)
        _write(rows, due.node, now)
    return len(travelers)


def run_due(
    *,
    now: datetime,
    journey_id: int | None = None,
    rounds: int = 1000,
    step: Callable[..., int] = step,
) -> int:
    """Steps until nobody is due; answers how many steps were looked at. For tests, rehearsals, benchmarks."""
    total = 0
    for _ in range(rounds):
        found = due_nodes(now=now, journey_id=journey_id)
        if not found:
            break
        for due in found:
            while moved := step(due, now=now):
                total += moved
    return total


def _claim(due: Due, now: datetime, limit: int) -> list[Traveler]:
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, [due.version_id, due.node, now, limit])
        return [
            Traveler(pk, customer, zone, entered_at, arrived_at, json.loads(entry), is_test)
            for pk, customer, zone, entered_at, arrived_at, entry, is_test in cursor.fetchall()
        ]


def claimed_ids(due: Due, *, now: datetime, limit: int) -> list[int]:
    """Locks the first `limit` of those due at the node, inside the caller's transaction."""
    return [one.id for one in _claim(due, now, limit)]


def _decided(
    graph: Graph, version: JourneyVersion, key: str, travelers: Sequence[Traveler], now: datetime
) -> list[_Row]:
    spec = graph.nodes.get(key)
    if spec is None or not travelers:
        return []
    found: dict[int, Move | Stay] = {}
    for is_test in (False, True):
        some = [one for one in travelers if one.is_test == is_test]
        if some:
            place = Place(version.journey_id, version.pk, spec, now, is_test)
            found |= nodes.get(spec.kind).decide(some, place)
    return [_row(one, found[one.id], spec.next, key, now) for one in travelers]


def _row(one: Traveler, what: Move | Stay, ways: Mapping[str, str | None], key: str, now: datetime) -> _Row:
    if isinstance(what, Stay):
        return _Row(one.id, key, what.until)
    target = ways.get(what.exit)
    status = PassageStatus.INSIDE if target else PassageStatus.FINISHED
    return _Row(one.id, target, now, what.exit, what.detail, status, "", what.is_goal)


def _leaving(rules: Sequence[ExitRule], travelers: Sequence[Traveler], now: datetime) -> dict[int, _Row]:
    """Those whom a rule takes out, asked just before each step."""
    return {
        pk: _Row(pk, None, now, LEFT, reason, PassageStatus.LEFT, reason, rule.is_goal)
        for pk, (rule, reason) in leaving.taken_out(rules, travelers, now=now).items()
    }


def _write(rows: Sequence[_Row], key: str, now: datetime) -> None:
    values: dict[str, Any] = {
        "now": now, "key": key, "ids": [row.id for row in rows], "nodes": [row.node for row in rows],
        "dues": [row.due_at for row in rows], "exits": [row.exit for row in rows],
        "details": [row.detail[:200] for row in rows], "statuses": [row.status for row in rows],
        "reasons": [row.reason for row in rows], "goals": [row.is_goal for row in rows],
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_MOVE, values)
        cursor.execute(_STEPS, values)


ACTIVE = JourneyStatus.ACTIVE
_DUE_NODES = f"""
    SELECT p.version_id, p.node FROM campaigns_passage AS p
    JOIN campaigns_journey AS j ON j.id = p.journey_id
    WHERE p.status = 'inside' AND p.due_at <= %(now)s AND j.status = '{ACTIVE}'
        AND (%(journey)s::bigint IS NULL OR j.id = %(journey)s)
    GROUP BY 1, 2 ORDER BY min(p.due_at) LIMIT %(limit)s
"""  # noqa: S608 - our own constant
_CLAIM = f"""
    SELECT p.id, p.customer_id, c.time_zone, p.entered_at, p.arrived_at, p.entry, p.is_test
    FROM campaigns_passage AS p JOIN customers_customer AS c ON c.id = p.customer_id
    JOIN campaigns_journey AS j ON j.id = p.journey_id
    WHERE p.version_id = %s AND p.node = %s AND p.status = 'inside' AND p.due_at <= %s
        AND j.status = '{ACTIVE}'
    ORDER BY p.due_at, p.id LIMIT %s FOR UPDATE OF p SKIP LOCKED
"""  # noqa: S608 - our own constant
_MOVE = """
    UPDATE campaigns_passage AS p SET
        node = coalesce(n.node, p.node), due_at = n.due_at, status = n.status, end_reason = n.reason,
        arrived_at = CASE WHEN n.exit = '' THEN p.arrived_at ELSE %(now)s END,
        ended_at = CASE WHEN n.status = 'inside' THEN NULL ELSE %(now)s::timestamptz END,
        goal_at = CASE WHEN n.goal THEN coalesce(p.goal_at, %(now)s::timestamptz) ELSE p.goal_at END
    FROM unnest(%(ids)s::bigint[], %(nodes)s::text[], %(dues)s::timestamptz[], %(exits)s::text[],
            %(statuses)s::text[], %(reasons)s::text[], %(goals)s::boolean[])
        AS n(id, node, due_at, exit, status, reason, goal)
    WHERE p.id = n.id
"""
_STEPS = """
    INSERT INTO campaigns_passagestep (passage_id, node, exit, detail, at)
    SELECT n.id, %(key)s, n.exit, n.detail, %(now)s
    FROM unnest(%(ids)s::bigint[], %(exits)s::text[], %(details)s::text[]) AS n(id, exit, detail)
    WHERE n.exit <> ''
"""
