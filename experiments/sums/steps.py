"""What each day adds to the sums of each variant, or each group of customers to the sum of all days.

With each event a customer's running number moves from y0 to y1; each sum moves by the difference of its terms
(the squares by y1² − y0²), so that days add up, and so that a later day can start from where the last one
ended. Metrics that ask the same events are answered in one pass. Only sums leave the database.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from django.db import connection

from experiments.metrics import NAMES, Sums
from experiments.sums.event_pass import Pass
from experiments.sums.questions import ByDay, Question, View


def sum_steps(
    questions: Sequence[Question],
    *,
    view: View,
    since: datetime | None = None,
    only: Sequence[int] | None = None,
    without: Sequence[int] = (),
    groups: str | None = None,
) -> list[ByDay]:
    """For each question the sums by variant id and day, of events since `since` as far as the view reaches.

    The questions must share their source. `only` and `without` name customers. `groups` is a table of
    customer_id and label; the labels take the place of the days, and who is not in it is left out.
    """
    asked = Pass(questions, view, since)
    if (only is not None and not only) or asked.since >= asked.latest:
        return [{} for _ in questions]
    some = _some(view, only=only is not None, but=bool(without))
    query = f"WITH fresh AS ({asked.rows('since', 'latest', some)})"
    if since is not None:
        query += f", past AS ({asked.past(some)})"
    group, source = "day", "changes"
    if groups is not None:
        group, source = "g.label", f"changes JOIN {groups} g ON g.customer_id = changes.customer_id"
    query += f"""
        , running AS ({asked.running(stored=since is not None)})
        , changes AS ({asked.changes()})
        SELECT variant_id, {group}, {asked.differences()} FROM {source} GROUP BY 1, 2
    """  # noqa: S608
    parameters = asked.parameters() | {"only": list(only or ()), "without": list(without)}
    found: list[ByDay] = [{} for _ in questions]
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        for variant_id, day, *sums in cursor.fetchall():
            for place, by_day in enumerate(found):
                part = Sums(*map(Decimal, sums[place * len(NAMES) : (place + 1) * len(NAMES)]))
                if any(vars(part).values()):
                    by_day.setdefault(variant_id, {})[day] = part
    return found


def _some(view: View, *, only: bool, but: bool) -> str:
    return " ".join(
        [
            "AND e.received_at <= %(received)s" if view.received_until else "",
            "AND e.customer_id = ANY(%(only)s)" if only else "",
            "AND e.customer_id <> ALL(%(without)s)" if but else "",
        ]
    )


def count_values(question: Question, view: View) -> dict[int, dict[Decimal, int]]:
    """How many customers of each variant have each number, to three significant digits; those without events
    are left out. The rounding keeps millions of different amounts to some thousand rows."""
    asked = Pass([question], view, None)
    name = asked.letters[0]["y"]
    query = f"""
        WITH numbers AS (
            SELECT variant_id, customer_id, sum({name}) AS number
            FROM ({asked.rows("since", "latest", "")}) counted WHERE {name} <> 0 GROUP BY 1, 2
        ),
        counted AS (SELECT variant_id, ({asked.counted(0, "y", "number")})::numeric AS number FROM numbers)
        SELECT variant_id,
               CASE WHEN number = 0 THEN 0
                    ELSE round(number, 2 - floor(log(abs(number)))::int) END AS value, count(*)
        FROM counted GROUP BY 1, 2
    """  # noqa: S608
    found: dict[int, dict[Decimal, int]] = {}
    with connection.cursor() as cursor:
        cursor.execute(query, asked.parameters())
        for variant_id, value, n in cursor.fetchall():
            values = found.setdefault(variant_id, {})
            values[Decimal(value)] = values.get(Decimal(value), 0) + n
    return found
