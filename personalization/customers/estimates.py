"""How many rows there are about: exact for few, the planner's estimate where counting would be felt."""

from typing import Any, NamedTuple

import msgspec
from django.db.models import QuerySet

COUNTED = 100_000


class About(NamedTuple):
    """`is_estimate`: from the statistics of PostgreSQL, which autovacuum keeps within some percent."""

    number: int
    is_estimate: bool = False


def about(rows: QuerySet[Any]) -> About:
    (plan,) = msgspec.json.decode(rows.order_by().explain(format="json"))
    expected = int(plan["Plan"]["Plan Rows"])
    return About(expected, is_estimate=True) if expected > COUNTED else About(rows.count())
