"""What a file says about permission: a column mapped on purpose, yes or no for the marketing mail.

Such a yes carries no time of its own, so it never speaks against what is on record: it counts only for
customers who have said nothing yet. A no always counts.
"""

from typing import Any

import numpy as np
import pyarrow as pa
from django.db import connection
from django.utils.translation import gettext as _

from personalization.customers.models import Channel
from personalization.importing import columns as plain_columns
from personalization.importing import values as cells
from personalization.importing.arrow import pc
from personalization.importing.values import RowError

YES = frozenset((
    "x", "✓", "✔", "ja", "j", "wahr", "oui", "o", "vrai", "si", "sí", "s", "sim", "sì", "是", "有", "同意",
    "已同意", "true", "yes", "y", "t", "1", "subscribed", "opt-in", "granted",
))  # fmt: skip
NO = frozenset((
    "nein", "non", "faux", "no", "não", "n", "falsch", "否", "无", "不同意", "false", "f", "0",
    "unsubscribed", "opt-out", "denied",
))  # fmt: skip

# One statement for each customer, read under the lock that `record_consent` takes.
_STATE = """
WITH said AS (
    SELECT c.id, bool_and(row.granted) AS granted
    FROM unnest(%(ids)s::text[], %(granted)s::boolean[]) AS row (external_id, granted)
    JOIN customers_customer c ON c.external_id = row.external_id
    GROUP BY c.id
), news AS (
    SELECT said.id, said.granted FROM said
    LEFT JOIN customers_consent known ON known.customer_id = said.id AND known.channel = %(channel)s
        AND known.topic = 'marketing' AND known.is_current
    WHERE known.id IS NULL OR (known.granted AND NOT said.granted)
), ended AS (
    UPDATE customers_consent SET is_current = false FROM news
    WHERE customer_id = news.id AND channel = %(channel)s AND topic = 'marketing' AND is_current
)
SELECT id, granted FROM news
"""
_LOCK = """SELECT 1 FROM customers_customer WHERE external_id = ANY(%(ids)s) ORDER BY id FOR NO KEY UPDATE"""
_APPEND = """
INSERT INTO customers_consent (customer_id, channel, topic, granted, source, recorded_at, is_current)
SELECT id, %(channel)s, 'marketing', granted, 'import', now(), true
FROM unnest(%(news)s::bigint[], %(said)s::boolean[]) AS row (id, granted)
"""


def said(value: Any) -> str | None:
    """ "yes", "no", or None for an empty cell. Raises RowError."""
    word = cells.text(value, limit=100, name="email_consent").lower().removesuffix(".0")
    if not word:
        return None
    if word in YES or word in NO:
        return "yes" if word in YES else "no"
    raise RowError(_("%(name)s: neither yes nor no") % {"name": "email_consent"})


def said_once(column: pa.Array | None, *, rows: int) -> plain_columns.Column | None:
    """The same for a whole column: each different word is read once. None where it must go row by row."""
    if column is None:
        return plain_columns.Column(pa.nulls(rows, pa.string()), np.ones(rows, dtype=bool))
    found = plain_columns.text(column, limit=100)
    if found is None:
        return None
    encoded = pc.dictionary_encode(found.values)
    read, right = [], []
    for word in encoded.dictionary.to_pylist():
        try:
            read.append(said(word))
            right.append(True)
        except RowError:
            read.append(None)
            right.append(False)
    where = encoded.indices
    return plain_columns.Column(
        pa.array(read, pa.string()).take(where), found.plain & np.array(right, dtype=bool)[where.to_numpy()]
    )


def record_consents(table: pa.Table) -> None:
    """Statements of the rows that make one, for the customers that now exist. Inside of a transaction."""
    rows = table.filter(pc.is_valid(table["email_consent"]))
    if not rows.num_rows:
        return
    given = {
        "ids": rows["external_id"].to_pylist(),
        "granted": [word == "yes" for word in rows["email_consent"].to_pylist()],
        "channel": Channel.EMAIL.value,
    }
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, given)
        cursor.execute(_STATE, given)
        news = cursor.fetchall()
        cursor.execute(
            _APPEND, given | {"news": [pk for pk, _said in news], "said": [granted for _pk, granted in news]}
        )
