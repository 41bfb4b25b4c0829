"""Events that came after their day had been stored, and whose customers must therefore be read anew."""

from experiments.models import Assignment
from experiments.sums.metric_sums import Assigned, rows_of
from experiments.sums.questions import Question, View, matching
from personalization.events.models import Event


def touched_customers(question: Question, assigned: Assigned, known: View | None, to: View) -> list[int]:
    """Customers whose events do not simply go on from what is stored: they are read from the beginning.

    Those with an event that came after its day had been stored, those with one that must not be stored yet,
    and, where one looks back, those assigned since.
    """
    found: set[int] = set()
    wanted = {question.metric.event, question.metric.denominator_event}
    for view in (known, to):
        if view is None or view.received_until is None or not wanted & set(late_names(assigned, view)):
            continue
        found |= {
            customer_id
            for (customer_id,) in rows_of(
                f"SELECT DISTINCT e.customer_id FROM {Event._meta.db_table} e"  # noqa: S608
                f" JOIN {Assignment._meta.db_table} a ON a.customer_id = e.customer_id"
                f" WHERE a.experiment_id = %(experiment)s AND {matching(question)}"
                " AND e.received_at > %(received)s AND e.occurred_at < %(until)s",
                question.parameters() | {"received": view.received_until, "until": view.until},
            )
        }
    if question.looks_back and known is not None:
        since = Assignment.objects.filter(
            experiment=question.experiment, assigned_at__gte=known.until, assigned_at__lt=to.until
        )
        found.update(since.values_list("customer_id", flat=True))
    return sorted(found)


def late_names(assigned: Assigned, view: View) -> dict[str, bool]:
    """Names of the events that belong into the view but came later; whether one of them changed hands.

    Asked once for all metrics: it reads what was received since, from an index of a few pages.
    """
    if view not in assigned.late:
        assigned.late[view] = dict(
            rows_of(
                f"SELECT name, bool_or(context ? 'joined_from') FROM {Event._meta.db_table}"  # noqa: S608
                " WHERE received_at > %(received)s AND occurred_at < %(until)s GROUP BY name",
                {"received": view.received_until, "until": view.until},
            )
        )
    return assigned.late[view]
