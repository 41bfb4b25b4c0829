"""What an analysis read from the database: all that a report is made of, as sums, and as JSON."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Q
from django.forms.models import model_to_dict

from experiments.breakdowns.breakdown import Breakdown, GroupChoice, read_breakdown
from experiments.metrics import NAMES, Sums
from experiments.models import Allocation, Analysis, Assignment, Experiment, Metric, Variant
from experiments.plans.plan import current_plan
from experiments.reports.weighted import Weighted, read_weighted
from experiments.stats import as_json, from_json
from experiments.sums.metric_sums import Assigned, MetricSums, load_assigned
from experiments.sums.moments import compute_sums, load_sums
from experiments.sums.questions import Calendar
from personalization.events.models import Event

Tick = Callable[[int, int], object]
VERSION = 1


@dataclass(frozen=True)
class Findings:
    """`assigned` is None when nobody was; `metrics` in the order of the list of metrics; `unknown_events` are
    counted by a metric, and nobody ever did them."""

    as_of: datetime
    assigned: Assigned | None
    metrics: tuple[MetricSums, ...]
    seen_twice: int
    last_event_at: datetime | None
    breakdown: Breakdown | None = None
    weighted: Weighted | None = None
    unknown_events: tuple[str, ...] = ()


def silent(done: int, steps: int) -> None:
    """Where nobody watches the progress."""


def read_findings(
    experiment: Experiment,
    metrics: Sequence[Metric],
    *,
    now: datetime,
    stores: bool = True,
    groups: GroupChoice | None = None,
    tick: Tick = silent,
) -> Findings:
    """Seconds to a minute. With `stores` the sums of ended days are kept and carried on; `now` must then be
    this moment. `tick` is told steps done and steps in all.
    """
    assigned = load_assigned(experiment, as_of=now)
    if assigned is None:
        return Findings(now, None, (), 0, None)
    steps = len(metrics) + 2
    load = load_sums if stores else compute_sums
    found = load(experiment, metrics, assigned, tick=lambda done: tick(done, steps))
    seen = count_seen_twice(experiment, as_of=now)
    newest = newest_events(metrics, now)
    last = max((at for at in newest.values() if at), default=None)
    unknown = tuple(sorted(name for name, at in newest.items() if at is None))
    tick(len(metrics) + 1, steps)
    is_fixed = experiment.allocation == Allocation.FIXED
    # Groups of a learned division would be no equals either.
    breakdown = read_breakdown(experiment, groups, found, now=now) if groups and is_fixed else None
    weighted = None if is_fixed else read_weighted(experiment, metrics, now=now)
    tick(steps, steps)
    return Findings(now, assigned, tuple(found), seen, last, breakdown, weighted, unknown)


def metrics_of(experiment: Experiment) -> list[Metric]:
    """Those in use, and those that the plan was made with."""
    plan = current_plan(experiment)
    planned = list(plan.terms["metrics"]) if plan else []
    return list(Metric.objects.filter(Q(archived_at=None) | Q(key__in=planned)))


def newest_findings(experiment: Experiment) -> Findings | None:
    """What the newest result holds; None before the first."""
    row = Analysis.objects.filter(experiment=experiment).exclude(result=None).first()
    return None if row is None or row.result is None else from_document(experiment, row.result)


def newest_events(metrics: Iterable[Metric], as_of: datetime) -> dict[str, datetime | None]:
    """When each event that the metrics count happened last, None for never; each costs one index entry."""
    return {
        name: Event.objects.filter(name=name, occurred_at__lte=as_of)
        .order_by("-occurred_at")
        .values_list("occurred_at", flat=True)
        .first()
        for name in {metric.event for metric in metrics}
    }


def count_seen_twice(experiment: Experiment, *, as_of: datetime) -> int:
    """Assigned customers to whom a client showed another variant than theirs."""
    with connection.cursor() as cursor:
        cursor.execute(_SEEN_TWICE, {"pk": experiment.pk, "key": experiment.key, "as_of": as_of})
        return int(cursor.fetchone()[0])


_SEEN_TWICE = f"""
    SELECT count(DISTINCT a.customer_id) FROM {Event._meta.db_table} e
    JOIN {Assignment._meta.db_table} a ON a.customer_id = e.customer_id AND a.experiment_id = %(pk)s
    JOIN {Variant._meta.db_table} v ON v.id = a.variant_id
    WHERE e.name = 'Experiment Viewed' AND e.occurred_at <= %(as_of)s
      AND %(key)s IN (e.properties ->> 'experimentId', e.properties ->> 'experiment_id')
      AND coalesce(e.properties ->> 'variationId', e.properties ->> 'variation_id')
          NOT IN (v.key, v.position::text)
"""  # noqa: S608


def as_document(findings: Findings) -> dict[str, Any]:
    """Sums as text: no digit is lost. Read again by `from_document`."""
    assigned = findings.assigned
    return {
        "version": VERSION,
        "as_of": findings.as_of.isoformat(),
        "calendar": assigned
        and [assigned.calendar.start.isoformat(), assigned.calendar.last_assigned.isoformat()],
        "assigned": assigned and assigned.by_day,
        "metrics": [
            {
                "metric": model_to_dict(sums.metric) | {"id": sums.metric.pk},
                "by_day": {
                    variant: {day: _texts(one) for day, one in days.items()}
                    for variant, days in sums.by_day.items()
                },
                "values": {
                    variant: [[str(value), n] for value, n in values.items()]
                    for variant, values in sums.values.items()
                },
            }
            for sums in findings.metrics
        ],
        "seen_twice": findings.seen_twice,
        "last_event_at": findings.last_event_at and findings.last_event_at.isoformat(),
        "breakdown": findings.breakdown and findings.breakdown.as_document(as_json),
        "weighted": findings.weighted and findings.weighted.as_document(),
        "unknown_events": findings.unknown_events,
    }


def from_document(experiment: Experiment, document: dict[str, Any]) -> Findings:
    as_of = _moment(document["as_of"])
    if document["calendar"] is None:
        return Findings(as_of, None, (), 0, None)
    start, last_assigned = map(_moment, document["calendar"])
    by_day = {
        int(variant): {int(day): n for day, n in days.items()}
        for variant, days in document["assigned"].items()
    }
    assigned = Assigned(experiment, Calendar(start, last_assigned, as_of), by_day, {})
    metrics = tuple(_metric_sums(one, assigned) for one in document["metrics"])
    last = document["last_event_at"]
    breakdown, weighted = document.get("breakdown"), document.get("weighted")
    return Findings(
        as_of, assigned, metrics, document["seen_twice"], _moment(last) if last else None,
        Breakdown.from_document(breakdown, from_json) if breakdown else None,
        Weighted.from_document(weighted) if weighted else None,
        tuple(document.get("unknown_events", ())),
    )  # fmt: skip


def _metric_sums(document: dict[str, Any], assigned: Assigned) -> MetricSums:
    fields = document["metric"]
    metric = Metric(**fields | {"cap": None if fields["cap"] is None else Decimal(fields["cap"])})
    by_day = {
        int(variant): {int(day): Sums(*map(Decimal, texts)) for day, texts in days.items()}
        for variant, days in document["by_day"].items()
    }
    values = {
        int(variant): {Decimal(value): n for value, n in pairs}
        for variant, pairs in document["values"].items()
    }
    return MetricSums(metric, assigned, by_day, values)


def _texts(sums: Sums) -> list[str]:
    texts = [format(getattr(sums, name).normalize(), "f") for name in NAMES]
    while texts and texts[-1] == "0":
        texts.pop()
    return texts


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
