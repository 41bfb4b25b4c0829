"""Freezing the audience: one delivery for everyone considered, with the reason where nothing is sent.

Everything here happens inside the caller's transaction, set by set; a customer is never handled one by one.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection
from psycopg.types.json import Jsonb

from campaigns.channels import Channel
from campaigns.ledger import CHUNK_SIZE
from campaigns.limits.permission import permitted_ids
from campaigns.models import Run
from personalization.customers import selectors as customers

BATCH = 50_000
# variant id (None: outside the experiment) and the chance with which it was drawn
Assigned = Mapping[int, tuple[int | None, float]]
# occurrence and variables
Newcomers = Mapping[int, tuple[int, Mapping[str, Any] | None]]
NOTHING = (0, None)


def freeze(
    run: Run,
    *,
    assigned: Assigned,
    held_out: Collection[int],
    control_id: int | None,
    channel: Channel,
    topic: str,
    now: datetime,
    has_rest: bool = False,
    due: Mapping[int, datetime] | None = None,
    newcomers: Newcomers | None = None,
    first: Collection[int] = (),
) -> int:
    """Writes chunks and deliveries of everyone in `assigned`; answers how many.

    Reasons are given in this order: holdout, outside the experiment, control, no address, invalid address,
    no consent, suppressed, duplicate address. Of several customers with one address the one who may be mailed
    keeps it, then the oldest; when that one is in control, the address stays silent.
    With `has_rest`, those outside the experiment wait for its winner, in no chunk yet. `due`: who is not to
    be written to at once; those of one moment share chunks. `first`: who comes before all others. With
    `newcomers` (of a standing run) each is written to for a reason of their own, so two with one address both
    are.
    """
    with connection.cursor() as cursor:
        # A million people are sorted three times: in memory, for this transaction alone.
        cursor.execute("SELECT set_config('work_mem', '128MB', true)")
        cursor.execute(_CREATE)
        # Batch by batch: a connection that is copying cannot ask anything else.
        for batch in _batches(assigned, held_out, due or {}, newcomers or {}, channel=channel, topic=topic):
            with cursor.copy(_COPY) as copy:
                for row in batch:
                    copy.write_row(row)
        cursor.execute("ANALYZE launch_audience")
        values = {
            "run": run.pk,
            "control": control_id,
            "pattern": channel.address_pattern,
            "longest": channel.longest_address,
            "size": CHUNK_SIZE,
            "now": now,
            "has_rest": has_rest,
            "one_per_address": newcomers is None,
            "first": list(first),
            "is_test": run.is_test,
        }
        cursor.execute(_JUDGE.format(address=channel.address_sql), values)
        cursor.execute(_CHUNKS, values)
        cursor.execute(_DELIVERIES, values)
        written = cursor.rowcount
        cursor.execute("DROP TABLE launch_judged, launch_audience")
    return written


def _batches(
    assigned: Assigned,
    held_out: Collection[int],
    due: Mapping[int, datetime],
    newcomers: Newcomers,
    *,
    channel: Channel,
    topic: str,
) -> Iterator[list[tuple[Any, ...]]]:
    ids = list(assigned)
    for start in range(0, len(ids), BATCH):
        batch: Sequence[int] = ids[start : start + BATCH]
        consented = permitted_ids(batch, channel=channel.name, topic=topic)
        suppressed = customers.suppressed_ids(batch, channel=channel.name)
        rows = []
        for pk in batch:
            occurrence, variables = newcomers.get(pk, NOTHING)
            rows.append(
                (
                    pk, *assigned[pk], pk in held_out, pk in consented, pk in suppressed, due.get(pk),
                    occurrence, None if variables is None else Jsonb(dict(variables)),
                )
            )  # fmt: skip
        yield rows


_CREATE = """
    CREATE TEMPORARY TABLE launch_audience (
        customer_id bigint, variant_id bigint, propensity float8, held_out boolean, consented boolean,
        suppressed boolean, due_at timestamptz, occurrence bigint, variables jsonb
    ) ON COMMIT DROP
"""
_COPY = "COPY launch_audience FROM STDIN"
_JUDGE = """
    CREATE TEMPORARY TABLE launch_judged ON COMMIT DROP AS
    WITH known AS (
        SELECT f.*, f.address ~ %(pattern)s AND length(f.address) <= %(longest)s AS valid
        FROM (
            SELECT a.*, coalesce(btrim({address}), '') AS address
            FROM launch_audience AS a JOIN customers_customer AS c ON c.id = a.customer_id
        ) AS f
    ), ranked AS (
        SELECT *, row_number() OVER (
            PARTITION BY lower(address) COLLATE "C" ORDER BY (consented AND NOT suppressed) DESC, customer_id
        ) AS place
        FROM known
    ), judged AS (
        SELECT customer_id, variant_id, propensity, due_at, occurrence, variables, CASE
            WHEN held_out THEN 'holdout'
            WHEN variant_id IS NULL AND NOT %(has_rest)s THEN 'not_covered'
            WHEN variant_id = %(control)s THEN 'control'
            WHEN address = '' THEN 'no_address'
            WHEN NOT valid THEN 'invalid_address'
            WHEN NOT consented THEN 'no_consent'
            WHEN suppressed THEN 'suppressed'
            WHEN place > 1 AND %(one_per_address)s THEN 'duplicate_address'
            ELSE '' END AS reason
        FROM ranked
    ), parted AS (
        SELECT *, variant_id IS NULL AND reason NOT IN ('not_covered', 'holdout') AS is_rest,
            CASE WHEN reason = '' AND variant_id IS NOT NULL THEN
                (row_number() OVER (PARTITION BY reason, variant_id IS NULL, due_at
                    ORDER BY customer_id = ANY(%(first)s::bigint[]) DESC, customer_id) - 1)
                / %(size)s
            END AS part
        FROM judged
    )
    SELECT *, CASE WHEN part IS NOT NULL THEN
            dense_rank() OVER (PARTITION BY part IS NULL ORDER BY due_at NULLS FIRST, part) - 1
            + (SELECT coalesce(max(number) + 1, 0) FROM campaigns_chunk WHERE run_id = %(run)s)
        END AS chunk_number
    FROM parted
"""
_CHUNKS = """
    INSERT INTO campaigns_chunk (run_id, number, status, lease_owner, due_at, attempts)
    SELECT DISTINCT %(run)s, chunk_number, 'free', '', coalesce(due_at, %(now)s::timestamptz), 0
    FROM launch_judged WHERE chunk_number IS NOT NULL ORDER BY 2
"""
_DELIVERIES = """
    INSERT INTO campaigns_delivery
        (run_id, customer_id, chunk_id, variant_id, propensity, status, reason, detail, attempts, is_rest,
        occurrence, variables, is_test)
    SELECT %(run)s, j.customer_id, k.id, j.variant_id, j.propensity,
        CASE WHEN j.reason = '' THEN 'pending' ELSE 'skipped' END, j.reason, '', 0, j.is_rest,
        j.occurrence, j.variables, %(is_test)s
    FROM launch_judged AS j
    LEFT JOIN campaigns_chunk AS k ON k.run_id = %(run)s AND k.number = j.chunk_number
    ORDER BY j.customer_id = ANY(%(first)s::bigint[]) DESC, j.customer_id
"""
