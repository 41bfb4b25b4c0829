"""How many rows there are about: exact for few, the planner's estimate where counting would be felt."""

from typing import Any, NamedTuple

import msgspec
from django.core.paginator import Paginator
from django.db import connection
from django.db.models import Field, QuerySet
from django.utils.functional import cached_property

COUNTED = 100_000


class About(NamedTuple):
    """`is_estimate`: from the statistics of PostgreSQL, which autovacuum keeps within some percent."""

    number: int
    is_estimate: bool = False


def about(rows: QuerySet[Any]) -> About:
    (plan,) = msgspec.json.decode(rows.order_by().explain(format="json"))
    expected = int(plan["Plan"]["Plan Rows"])
    return About(expected, is_estimate=True) if expected > COUNTED else About(rows.count())


def common_values(field: Field) -> list[str]:
    """Of a column of texts, in order, by the same statistics; the rarest of more than 100 are missing."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT unnest(most_common_vals::text::text[]) AS value FROM pg_stats
               WHERE schemaname = current_schema AND tablename = %s AND attname = %s ORDER BY value""",
            [field.model._meta.db_table, field.column],
        )
        return [value for (value,) in cursor]


class AboutPaginator(Paginator):
    """Of very long lists the number of pages is about right; an estimate too large ends in an empty page."""

    @cached_property
    def count(self) -> int:
        return about(self.object_list).number  # type: ignore[arg-type]  # the shell gives it querysets
