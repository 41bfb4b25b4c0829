"""One number per assigned customer, for methods that need customers and not only sums. Read in one pass."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from django.db import connection
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from experiments import metrics
from experiments.errors import NotPossible
from experiments.models import Assignment, Experiment, Metric
from experiments.sums.metric_sums import load_assigned
from experiments.sums.questions import Question, matching
from personalization.events.models import Event

REDUCE = {"any": "least(count(e.name), 1)", "count": "count(e.name)", "sum": "coalesce(sum(e.value), 0)"}


@dataclass(frozen=True)
class Outcomes:
    """Arrays of one length: only customers whose window has closed, in the order of their ids."""

    customer_ids: NDArray[np.int64]
    variant_ids: NDArray[np.int64]
    propensities: NDArray[np.float64]
    values: NDArray[np.float64]


def is_one_number(metric: Metric) -> bool:
    """Whether each customer has a number of their own: no ratio and no quantile."""
    kind = metrics.get(metric.kind)
    return not metric.denominator_event and metric.quantile is None and kind.reduction in REDUCE


def load_outcomes(
    experiment: Experiment,
    metric: Metric,
    *,
    as_of: datetime,
    within: timedelta | None = None,
) -> Outcomes:
    """`within` is a shorter window than the metric's. Raises NotPossible for metrics that are not one number
    per customer, or for nobody.
    """
    kind = metrics.get(metric.kind)
    if not is_one_number(metric):
        raise NotPossible(_("Choose a metric that is one number per customer: no ratio and no quantile."))
    assigned = load_assigned(experiment, as_of=as_of)
    if assigned is None:
        raise NotPossible(_("Nobody was assigned yet."))
    question = Question(experiment, metric, assigned.calendar)
    value = REDUCE[kind.reduction]
    capped = f"least({value}, %(cap)s)" if metric.cap is not None else value
    query = f"""
        SELECT a.customer_id, a.variant_id, a.propensity, ({capped})::float8
        FROM {Assignment._meta.db_table} a
        LEFT JOIN {Event._meta.db_table} e ON e.customer_id = a.customer_id
            AND e.occurred_at >= a.assigned_at + %(from)s AND e.occurred_at < a.assigned_at + %(to)s
            AND e.occurred_at <= %(as_of)s AND {matching(question)}
        WHERE a.experiment_id = %(experiment)s AND a.assigned_at + %(to)s <= %(as_of)s
        GROUP BY a.id ORDER BY a.customer_id
    """  # noqa: S608  (table names and our own fragments only)
    with connection.cursor() as cursor:
        given = question.parameters() | {"as_of": as_of}
        given["to"] = given["to"] if within is None else within
        cursor.execute(query, given)
        rows = cursor.fetchall()
    if not rows:
        raise NotPossible(_("The window of this metric has not closed for anybody yet."))
    customers, variants, chances, values = zip(*rows, strict=True)
    return Outcomes(
        np.array(customers, dtype=np.int64),
        np.array(variants, dtype=np.int64),
        np.array(chances, dtype=np.float64),
        np.array(values, dtype=np.float64),
    )
