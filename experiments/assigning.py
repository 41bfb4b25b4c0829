"""Writes who is assigned to which variant: at a launch, when a client reports an exposure, by an import."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import connection, transaction

from experiments.assignment import NOWHERE
from experiments.errors import NotRunning
from experiments.models import Assignment, Experiment, Variant
from experiments.selectors import assignments_of
from experiments.traffic.rules import hash_values, rule_of
from personalization.importing.passing import these
from personalization.segments import selectors as segments

CHUNK = 20_000

Assigned = tuple[int | None, float]


class NewAssignment(NamedTuple):
    customer_id: int
    variant_id: int
    propensity: float
    at: datetime


def assign(
    experiment: Experiment, customer_ids: Sequence[int], *, at: datetime, is_kept: bool = True
) -> dict[int, Assigned]:
    """The variant of every customer, control included, with the chance with which it was drawn.

    A stored assignment wins over the hash, so calling twice, or after a change of weights, moves nobody.
    Who takes no part is answered (None, the chance of that) and not stored: outside the coverage or the part
    of the layer, outside the segment (1.0), or there to look at a variant (1.0). Ids that are no customers
    are left out. Holdouts are the caller's concern. Raises NotRunning after the end. One transaction;
    100,000 customers take seconds. Not `is_kept`: the same answer, and nothing is stored.
    """
    if experiment.ended_at is not None and experiment.ended_at <= at:
        raise NotRunning(experiment.key)
    return assign_since(experiment, dict.fromkeys(customer_ids, at), now=at, is_kept=is_kept)


def assign_since(
    experiment: Experiment, since: Mapping[int, datetime], *, now: datetime, is_kept: bool = True
) -> dict[int, Assigned]:
    """`assign` with a time of its own for each customer; membership of the segment is asked as of `now`."""
    answer: dict[int, Assigned] = {}
    variants = list(experiment.variants.order_by("position"))
    with transaction.atomic():
        # Always in the same order: two launches at once must not wait for each other crosswise.
        ordered = sorted(since)
        for start in range(0, len(ordered), CHUNK):
            chunk = {pk: since[pk] for pk in ordered[start : start + CHUNK]}
            answer.update(_assign_chunk(experiment, variants, chunk, now, is_kept))
    return answer


def store(experiment: Experiment, rows: Sequence[NewAssignment]) -> int:
    """Writes those that are new, in the order of the customers, and answers how many; who has an assignment
    keeps it."""
    if not rows:
        return 0
    ordered = sorted(rows)
    # Few are different: numbers for them are a third of what three more arrays would cost.
    kinds = {kind: number for number, kind in enumerate(sorted({row[1:] for row in ordered}), 1)}
    variants, chances, moments = (list(column) for column in zip(*kinds, strict=True))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {Assignment._meta.db_table}"  # noqa: S608
            " (experiment_id, customer_id, variant_id, propensity, assigned_at)"
            " SELECT %s, drawn.customer, kinds.variant, kinds.chance, kinds.at"
            " FROM unnest(%s::bigint[], %s::int[]) AS drawn (customer, kind)"
            " JOIN unnest(%s::bigint[], %s::float8[], %s::timestamptz[]) WITH ORDINALITY"
            " AS kinds (variant, chance, at, kind) ON kinds.kind = drawn.kind"
            " ORDER BY drawn.customer, drawn.kind"
            " ON CONFLICT (experiment_id, customer_id) DO NOTHING",
            [
                experiment.pk, [row.customer_id for row in ordered], [kinds[row[1:]] for row in ordered],
                variants, chances, moments,
            ],
        )  # fmt: skip
        return cursor.rowcount


def _assign_chunk(
    experiment: Experiment,
    variants: list[Variant],
    since: Mapping[int, datetime],
    now: datetime,
    is_kept: bool,
) -> dict[int, Assigned]:
    ids = list(since)
    stored = assignments_of(experiment, ids)
    values = hash_values([pk for pk in ids if pk not in stored])
    rule = rule_of(experiment, variants)
    chances = [rule.chance(index) for index in range(len(variants))]
    nowhere: Assigned = (None, rule.chance(NOWHERE))
    outside = not_in_segment(experiment, list(values), now=now)
    outside |= {pk for pk, value in values.items() if value in rule.forced}
    answer: dict[int, Assigned] = dict.fromkeys(outside, (None, 1.0))
    rows = []
    drawn = {pk: value for pk, value in values.items() if pk not in outside}
    for pk, index in zip(drawn, rule.choose_each(list(drawn.values())).tolist(), strict=True):
        if index == NOWHERE:
            answer[pk] = nowhere
        else:
            rows.append(NewAssignment(pk, variants[index].pk, chances[index], since[pk]))
    new: dict[int, Assigned] = {row.customer_id: (row.variant_id, row.propensity) for row in rows}
    if is_kept and store(experiment, rows) < len(new):
        # Another process stored some of these customers first: theirs hold.
        new = dict(assignments_of(experiment, list(new)))
    return answer | stored | new


def not_in_segment(experiment: Experiment, customer_ids: list[int], *, now: datetime) -> set[int]:
    """Those of the customers that are not in the experiment's segment; nobody when it has none."""
    if experiment.segment_version is None or not customer_ids:
        return set()
    members = segments.members(experiment.segment_version, now=now).filter(pk__in=these(customer_ids))
    return set(customer_ids) - set(members.values_list("pk", flat=True))
