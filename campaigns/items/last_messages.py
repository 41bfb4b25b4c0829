"""Which items a customer was shown last."""

from collections.abc import Mapping

from django.db import connection

_LAST_ITEMS = """
    SELECT DISTINCT asked.customer_id, (pick->>0)::bigint
    FROM unnest(%s::bigint[], %s::int[]) AS asked(customer_id, depth)
    CROSS JOIN LATERAL (
        SELECT inputs FROM campaigns_delivery AS d
        WHERE d.customer_id = asked.customer_id AND d.status IN ('sent', 'unknown') AND NOT d.is_test
        ORDER BY coalesce(d.sent_at, to_timestamp((d.inputs->>'at')::bigint)) DESC NULLS LAST, d.id DESC
        LIMIT asked.depth
    ) AS message
    CROSS JOIN LATERAL jsonb_array_elements(message.inputs->'items') AS pick
"""


def items_of_last_messages(depths: Mapping[int, int]) -> dict[int, set[int]]:
    """Item ids that stood in the last messages of each customer, in one query; `depths`: how many messages
    count, by customer. Those whose arrival is unknown count as sent.
    """
    found: dict[int, set[int]] = {customer: set() for customer in depths}
    if depths:
        with connection.cursor() as cursor:
            cursor.execute(_LAST_ITEMS, [list(depths), list(depths.values())])
            for customer, item in cursor.fetchall():
                found[customer].add(item)
    return found
