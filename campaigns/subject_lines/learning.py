"""What the shop's own e-mails did, and the models learned from it, kept for two days as JSON."""

from datetime import datetime, timedelta
from typing import Any

import structlog
from django.core.cache import cache
from django.db import connection

from campaigns.subject_lines.model import Line, Trained, train

log = structlog.get_logger(__name__)
KINDS = {"open": "Message Opened", "click": "Message Clicked"}
LOOK_BACK = timedelta(days=730)
# Younger messages are still being opened.
SETTLED = timedelta(days=3)
KEPT_SECONDS = 2 * 86_400


def learn(*, now: datetime) -> dict[str, Trained]:
    """Trains anew, by kind; a kind with too little behind it is not there, and forgotten."""
    found = {}
    for kind in KINDS:
        model = train(lines(kind, now=now))
        if model is None:
            cache.delete(_key(kind))
            continue
        found[kind] = model
        cache.set(_key(kind), model.as_json(), KEPT_SECONDS)
        log.info("subject_lines_learned", kind=kind, lines=model.lines, gain=round(model.gain, 3))
    return found


def known(kind: str) -> Trained | None:
    value = cache.get(_key(kind))
    return Trained.from_json(value) if value else None


def _key(kind: str) -> str:
    return f"campaigns:subject-lines:{kind}:1"


def lines(kind: str, *, now: datetime) -> list[Line]:
    """Messages and people who opened or clicked, machines left out, by run and variant."""
    asked: dict[str, Any] = {
        "name": KINDS[kind],
        "since": now - LOOK_BACK,
        "until": now - SETTLED,
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(_LINES, asked)
        return [Line(*row) for row in cursor.fetchall()]


_LINES = """
    WITH sent AS (
        SELECT d.run_id, v.key, count(*) AS messages,
            r.content->'variants'->v.key->>'subject' AS subject
        FROM campaigns_delivery AS d
        JOIN campaigns_run AS r ON r.id = d.run_id
        JOIN experiments_variant AS v ON v.id = d.variant_id
        WHERE d.status = 'sent' AND NOT d.is_test AND d.sent_at >= %(since)s AND d.sent_at < %(until)s
            AND r.content->>'channel' = 'email'
        GROUP BY 1, 2, 4
    ), hits AS (
        SELECT (e.properties->>'run')::bigint AS run_id, e.properties->>'variant' AS key,
            count(DISTINCT e.customer_id) AS hits
        FROM events_event AS e
        WHERE e.name = %(name)s AND e.occurred_at >= %(since)s AND e.occurred_at < %(now)s
            AND e.properties ? 'run' AND NOT e.properties @> '{"machine": true}'
        GROUP BY 1, 2
    )
    SELECT sent.subject, sent.messages, coalesce(hits.hits, 0)
    FROM sent LEFT JOIN hits USING (run_id, key)
    WHERE sent.subject <> ''
"""
