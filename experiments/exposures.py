"""Exposures: who really saw a variant. They are ordinary events that clients send to the ingestion.

A client decides by hash alone, so nothing is known here until it reports what a customer saw; then the
customer is taken in from that moment on. Asking for an evaluation is no exposure.
"""

from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Exists, Min, OuterRef, Q, QuerySet

from experiments.assigning import assign_since
from experiments.models import Assignment, Experiment
from experiments.traffic.holdouts import draw
from personalization.events.models import Event

# The standard name of the Segment spec for it.
EXPOSURE = "Experiment Viewed"
# An exposure that arrives later than this after it happened is not taken in any more.
MAX_DELAY = timedelta(days=3)
# A message may be written down after one that was received later.
OVERLAP = timedelta(minutes=10)


def take_in_exposed(*, now: datetime) -> int:
    """Assigns customers whose exposure was reported since the last call, as of their first one; how many.

    Safe to call at any time and twice. Who is in a global holdout is left out.
    """
    served = Experiment.objects.filter(is_served=True, started_at__lte=now)
    open_ = served.filter(Q(ended_at=None) | Q(ended_at__gt=now - MAX_DELAY)).order_by("pk")
    return sum(_take_in(experiment, now) for experiment in open_.select_related("segment_version", "layer"))


def _take_in(experiment: Experiment, now: datetime) -> int:
    seen = _exposures(experiment)
    if experiment.ended_at is not None:
        seen = seen.filter(occurred_at__lt=experiment.ended_at)
    if (read_at := experiment.exposures_read_at) is not None:
        seen = seen.filter(received_at__gt=read_at - OVERLAP, occurred_at__gt=read_at - MAX_DELAY)
    known = Assignment.objects.filter(experiment=experiment, customer=OuterRef("customer"))
    found = seen.filter(~Exists(known)).values("customer_id").annotate(first=Min("occurred_at")).order_by()
    since = dict(found.values_list("customer_id", "first"))
    held_out, _chance = draw(list(since), at=now)
    assigned = assign_since(experiment, {pk: at for pk, at in since.items() if pk not in held_out}, now=now)
    Experiment.objects.filter(pk=experiment.pk).update(exposures_read_at=now)
    return sum(variant is not None for variant, _chance in assigned.values())


def _exposures(experiment: Experiment) -> QuerySet[Event]:
    named = Q(properties__experimentId=experiment.key) | Q(properties__experiment_id=experiment.key)
    return Event.objects.filter(named, name=EXPOSURE, occurred_at__gte=experiment.started_at)


def count_exposed(experiment: Experiment) -> tuple[dict[str, int], int]:
    """Assigned customers who saw something, by the variant's key; and how many saw another variant than
    theirs (a client that hashes another id, or that was given a fixed one)."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"experiment": experiment.pk, "key": experiment.key, "event": EXPOSURE})
        rows = cursor.fetchall()
    return {key: seen for key, seen, _other in rows}, sum(other for _key, _seen, other in rows)


_COUNT = """
    WITH seen AS (
        SELECT e.customer_id, array_remove(array_agg(DISTINCT coalesce(
            e.properties ->> 'variationId', e.properties ->> 'variation_id')), NULL) AS variants
        FROM events_event AS e
        WHERE e.name = %(event)s
            AND %(key)s IN (e.properties ->> 'experimentId', e.properties ->> 'experiment_id')
        GROUP BY e.customer_id
    )
    SELECT v.key, count(*),
        count(*) FILTER (WHERE NOT s.variants <@ ARRAY[v.key::text, v.position::text])
    FROM experiments_assignment AS a
    JOIN experiments_variant AS v ON v.id = a.variant_id
    JOIN seen AS s ON s.customer_id = a.customer_id
    WHERE a.experiment_id = %(experiment)s GROUP BY v.key
"""
