"""What one sees while editing a segment: how many match and a few of them, at once.

Exact where that is quick. Else an estimate from customers drawn by chance comes first, with its margin, and
the exact number can be asked for after it.
"""

from dataclasses import dataclass
from datetime import datetime
from math import sqrt

import numpy as np
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Max, Min

from personalization.customers.models import SOMEBODY, Customer
from personalization.segments.compiler import compile_ids, compile_node
from personalization.segments.definition import parse
from personalization.segments.errors import CountTooSlow
from personalization.segments.measures import among
from personalization.segments.selectors import customer_total, time_limit

SHOWN = 5
DRAWN = 10_000
EXACT_SECONDS = 1.0  # the exact number is waited for so long before an estimate is made
ESTIMATE_SECONDS = 4.0
SIGMAS = 1.96


@dataclass(frozen=True)
class Preview:
    """`margin`: half the width of the 95 % interval of an estimate; None where `count` is exact."""

    count: int
    some: list[Customer]
    margin: int | None = None


def preview(definition: object, *, now: datetime) -> Preview:
    """Exact, both in one pass over what the definition asks about, which is nearly all that either costs."""
    try:
        sql, parameters = compile_ids(parse(definition), now=now).query.sql_with_params()
    except EmptyResultSet:
        return Preview(0, [])
    with connection.cursor() as cursor:
        cursor.execute(_PREVIEW.format(members=sql), [*parameters, SHOWN])
        number, newest = cursor.fetchone()
    return Preview(number, _people(newest))


_PREVIEW = """
    WITH found (id) AS MATERIALIZED ({members})
    SELECT (SELECT count(*) FROM found), ARRAY(SELECT id FROM found ORDER BY id DESC LIMIT %s)
"""


def estimate(definition: object, *, now: datetime) -> Preview:
    """From DRAWN customers, always the same ones, so that two definitions can be compared while one edits.

    What asks for the top percent of all takes the top percent of those.
    """
    ids = _draw()
    if not ids:
        return Preview(0, [])
    drawn = list(Customer.objects.filter(SOMEBODY, among("pk", ids)).values_list("pk", flat=True))
    found = list(
        compile_node(parse(definition), now=now, only=drawn, sampled=True).values_list("pk", flat=True)
    )
    total, share = customer_total(), len(found) / max(len(drawn), 1)
    margin = SIGMAS * total * sqrt(share * (1 - share) / max(len(drawn), 1))
    return Preview(round(total * share), _people(sorted(found)[-SHOWN:]), margin=round(margin))


def quick_preview(definition: object, *, now: datetime) -> Preview:
    """Exact within EXACT_SECONDS, else an estimate. Raises CountTooSlow when that takes too long as well."""
    try:
        with time_limit(EXACT_SECONDS):
            return preview(definition, now=now)
    except CountTooSlow:
        with time_limit(ESTIMATE_SECONDS):
            return estimate(definition, now=now)


def _draw() -> list[int]:
    """Numbers from the oldest to the newest customer's; those of nobody are sorted out by who asks."""
    ends = Customer.objects.aggregate(first=Min("pk"), last=Max("pk"))
    if ends["last"] is None:
        return []
    first, last = ends["first"], ends["last"]
    if last - first < DRAWN:
        return list(range(first, last + 1))
    return sorted(set(np.random.default_rng(1).integers(first, last + 1, DRAWN).tolist()))


def _people(ids: list[int]) -> list[Customer]:
    return list(Customer.objects.filter(pk__in=ids).order_by("-pk"))
