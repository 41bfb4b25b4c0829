"""A temporary table of who belongs to which group, inside the caller's transaction."""

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from django.db import connection
from django.db.models import Case, Exists, OuterRef, Q, Value, When

from experiments.models import Assignment, Experiment
from experiments.trait_table import COLUMNS
from personalization.customers.models import Customer, TraitChange
from personalization.segments import history
from personalization.segments import selectors as segments
from personalization.segments.models import Segment

TABLE = "groups_of_customers"
UNKNOWN = "?"
IN, OUT = "in", "out"
QUARTERS = [0.25, 0.5, 0.75]
# What the history says of the assignment: `was` is the value then, `moved` that it only tells of later ones.
_CUSTOMERS = f"""
    FROM {Assignment._meta.db_table} a JOIN {Customer._meta.db_table} c ON c.id = a.customer_id
    LEFT JOIN LATERAL (
        SELECT max(t.changed_at) FILTER (WHERE t.changed_at <= a.assigned_at) IS NOT NULL AS known,
            (array_agg(t.value ORDER BY t.changed_at DESC, t.id DESC)
                FILTER (WHERE t.changed_at <= a.assigned_at))[1] AS was,
            count(*) > 0 AS moved
        FROM {TraitChange._meta.db_table} t WHERE t.customer_id = c.id AND t.name = %(trait)s
    ) h ON true
    WHERE a.experiment_id = %(experiment)s
"""  # noqa: S608  (table names only)


@dataclass(frozen=True)
class Remembered:
    """How many customers' values the history does not tell: `now` are taken as they are now, because it
    knows no change; `unknown` were changed after the assignment, and what they were before was not kept."""

    now: int = 0
    unknown: int = 0


def count_remembered(experiment: Experiment, name: str) -> Remembered:
    with connection.cursor() as cursor:
        value = _present(name)
        cursor.execute(
            f"SELECT count(*) FILTER (WHERE NOT h.moved AND {value} IS NOT NULL),"
            f" count(*) FILTER (WHERE h.moved AND NOT h.known) {_CUSTOMERS}",
            {"experiment": experiment.pk, "trait": name},
        )
        return Remembered(*cursor.fetchone())


def group_by_trait(experiment: Experiment, name: str, *, most: int) -> list[str] | None:
    """By the value at the assignment. Words as they are, the most frequent ones; many different numbers in
    quarters. Answers the labels in the order to show them in; None for lists."""
    given: dict[str, Any] = {"experiment": experiment.pk, "trait": name, "quarters": QUARTERS, "most": most}
    # An empty word is no value; null in the history says that the trait was removed.
    value = (
        "nullif(nullif(CASE WHEN h.known THEN h.was WHEN h.moved THEN NULL"
        f""" ELSE {_present(name)} END, 'null'), '""')"""
    )
    with connection.cursor() as cursor:
        cursor.execute(_KIND.format(value=value, customers=_CUSTOMERS), given)
        distinct, numbers, lists, edges = cursor.fetchone()
        if lists:
            return None
        if numbers and distinct > 4:
            bounds = sorted(set(edges))
            label = _quarters(value, bounds)
            given |= {f"edge_{place}": bound for place, bound in enumerate(bounds)}
            order = _names(bounds)
            given |= {f"label_{place}": text for place, text in enumerate(order)}
        else:
            cursor.execute(_FREQUENT.format(value=value, customers=_CUSTOMERS), given)
            given["kept"] = order = [row[0] for row in cursor.fetchall()]
            text = f"({value}) #>> '{{}}'"
            label = f"CASE WHEN {text} IS NULL THEN '?' WHEN {text} = ANY(%(kept)s) THEN {text} ELSE '…' END"
        cursor.execute(_FILL.format(label=label, customers=_CUSTOMERS), given)
    return [*order, UNKNOWN]


def group_by_segment(experiment: Experiment, segment: Segment, *, now: datetime) -> int:
    """In the segment at the assignment, or not. Answers of how many its members were not recorded at that
    time: they are told by the segment as it is now."""
    members = segments.members(segment.current, now=now).values("pk")
    rows = Assignment.objects.filter(experiment=experiment).order_by()
    known = history.recorded_between(segment)
    recorded = Q(assigned_at__range=known) if known else Q(pk=None)
    then = Exists(
        history.members_then(segment, at=OuterRef("assigned_at")).filter(customer=OuterRef("customer"))
    )
    label = Case(
        When(recorded & then, then=Value(IN)), When(recorded, then=Value(OUT)),
        When(customer_id__in=members, then=Value(IN)), default=Value(OUT),
    )  # fmt: skip
    query, parameters = rows.annotate(label=label).values_list("customer_id", "label").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE {TABLE} (customer_id bigint, label text) ON COMMIT DROP")
        cursor.execute(f"INSERT INTO {TABLE} (customer_id, label) {query}", parameters)
        cursor.execute(f"ANALYZE {TABLE}")
    return rows.exclude(recorded).count()


def count_groups(experiment: Experiment) -> dict[str, dict[int, int]]:
    """Customers by label and variant id."""
    found: dict[str, dict[int, int]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT g.label, a.variant_id, count(*) FROM {TABLE} g"  # noqa: S608
            f" JOIN {Assignment._meta.db_table} a ON a.customer_id = g.customer_id"
            " WHERE a.experiment_id = %s GROUP BY 1, 2",
            [experiment.pk],
        )
        for label, variant, n in cursor.fetchall():
            found.setdefault(label, {})[variant] = n
    return found


def _present(name: str) -> str:
    # Names of columns come from our own list, everything else is a parameter.
    return f"to_jsonb(nullif(c.{name}, ''))" if name in COLUMNS else "nullif(c.traits -> %(trait)s, 'null')"


def _quarters(value: str, bounds: list[Any]) -> str:
    number = f"({value} #>> '{{}}')::numeric"
    cases = "".join(
        f" WHEN {number} < %(edge_{place})s THEN %(label_{place})s" for place in range(len(bounds))
    )
    return f"CASE WHEN {value} IS NULL THEN '?'{cases} ELSE %(label_{len(bounds)})s END"


def _names(bounds: list[Any]) -> list[str]:
    texts = [f"{float(bound):g}" for bound in bounds]
    between = [f"{low} – {high}" for low, high in pairwise(texts)]
    return [f"< {texts[0]}", *between, f"≥ {texts[-1]}"]


_KIND = """
    SELECT count(DISTINCT v), coalesce(bool_and(jsonb_typeof(v) = 'number'), false),
        coalesce(bool_or(jsonb_typeof(v) IN ('array', 'object')), false),
        percentile_disc(%(quarters)s::float8[]) WITHIN GROUP (
            ORDER BY CASE WHEN jsonb_typeof(v) = 'number' THEN (v #>> '{{}}')::numeric END
        )
    FROM (SELECT {value} AS v {customers}) AS asked WHERE v IS NOT NULL
"""
_FREQUENT = """
    SELECT v #>> '{{}}' FROM (SELECT {value} AS v {customers}) AS asked
    WHERE v IS NOT NULL GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT %(most)s
"""
_FILL = f"""
    CREATE TEMPORARY TABLE {TABLE} ON COMMIT DROP AS
    SELECT a.customer_id, {{label}} AS label {{customers}}
"""
