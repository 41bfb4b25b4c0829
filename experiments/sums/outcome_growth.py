"""One number per assigned customer, day by day as it grew. Read in one pass, in a worker."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from experiments import metrics
from experiments.models import Assignment, Experiment, Metric
from experiments.off_policy import ArmSums
from experiments.sums.metric_sums import load_assigned
from experiments.sums.questions import Question, matching
from personalization.events.models import Event

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Growth:
    """Per customer, in the order of their ids: variant, chance, day of the assignment, the number by now. Per
    step: which customer, on which day, the number before and after. Days as `Calendar` counts them.
    """

    variant_ids: Integers
    propensities: Floats
    assigned_on: Integers
    values: Floats
    customers: Integers
    days: Integers
    before: Floats
    after: Floats

    def arm_sums(self, variant_id: int) -> dict[int, ArmSums]:
        """The growth of the arm's sums on each day on which they grew."""
        mine = self.variant_ids == variant_id
        weights = np.where(mine, 1 / self.propensities, 0.0)
        size = int(max(self.assigned_on.max(initial=0), self.days.max(initial=0))) + 1

        def sums(days: Integers, amounts: Floats) -> Floats:
            return np.asarray(np.bincount(days, amounts, minlength=size), dtype=np.float64)

        w, grew = weights[self.customers], self.after - self.before
        columns = (
            sums(self.assigned_on, mine.astype(np.float64)),
            sums(self.assigned_on, weights),
            sums(self.assigned_on, weights**2),
            sums(self.days, w * grew),
            sums(self.days, w**2 * grew),
            sums(self.days, w**2 * (self.after**2 - self.before**2)),
        )
        found = np.column_stack(columns)
        return {
            int(day): ArmSums(int(found[day, 0]), *found[day, 1:].tolist())
            for day in np.flatnonzero(found.any(axis=1))
        }


def load_growth(experiment: Experiment, metric: Metric, *, as_of: datetime) -> Growth | None:
    """Of everybody assigned by then, with what happened by then; `metric` is one number per customer. None
    when nobody was assigned."""
    assigned = load_assigned(experiment, as_of=as_of)
    if assigned is None:
        return None
    question = Question(experiment, metric, assigned.calendar)
    kind = metrics.get(metric.kind)
    amount = "coalesce(sum(e.value), 0)" if kind.reduction == "sum" else "count(e.name)"
    day = "floor(date_part('epoch', {} - %(start)s) / 86400)::int"
    query = f"""
        SELECT customer, variant, chance, assigned_on, day,
            sum(amount) OVER (PARTITION BY customer ORDER BY day)::float8
        FROM (
            SELECT a.customer_id AS customer, a.variant_id AS variant, a.propensity AS chance,
                {day.format("a.assigned_at")} AS assigned_on,
                coalesce({day.format("e.occurred_at")}, -1) AS day, {amount} AS amount
            FROM {Assignment._meta.db_table} a
            LEFT JOIN {Event._meta.db_table} e ON e.customer_id = a.customer_id
                AND e.occurred_at >= a.assigned_at + %(from)s AND e.occurred_at < a.assigned_at + %(to)s
                AND e.occurred_at <= %(as_of)s AND {matching(question)}
            WHERE a.experiment_id = %(experiment)s AND a.assigned_at <= %(as_of)s
            GROUP BY a.id, 5
        ) AS grown
        ORDER BY customer, day
    """  # noqa: S608  (table names and our own fragments only)
    with connection.cursor() as cursor:
        cursor.execute(query, question.parameters() | {"as_of": as_of})
        rows = cursor.fetchall()
    ids, variants, chances, assigned_on, days, after = (
        np.array(column) for column in zip(*rows, strict=True)
    )
    first = np.concatenate([[True], ids[1:] != ids[:-1]])
    cap = 1.0 if kind.reduction == "any" else np.inf if metric.cap is None else float(metric.cap)
    after = np.minimum(after, cap)
    before = np.where(first, 0.0, np.concatenate([[0.0], after[:-1]]))
    last, happened = np.append(first[1:], True), days >= 0
    return Growth(
        variants[first], chances[first], assigned_on[first], after[last],
        (np.cumsum(first) - 1)[happened], days[happened], before[happened], after[happened],
    )  # fmt: skip
