"""Writes: experiments with their variants, who is assigned to which, the metrics of a new installation."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext as _

from experiments import assignment
from experiments.defaults import DEFAULT_METRICS
from experiments.errors import InvalidVariants, KeyTaken, NotRunning
from experiments.models import Assignment, Experiment, Metric, Variant
from experiments.selectors import assignments_of
from personalization.customers.models import Customer

CHUNK = 20_000

Assigned = tuple[int | None, float]


@dataclass(frozen=True)
class VariantSpec:
    """`weight` is relative to the other variants; the stored ones add up to 1."""

    key: str
    name: str
    weight: float
    is_control: bool = False


def create_experiment(
    *, key: str, name: str, variants: Sequence[VariantSpec], coverage: float = 1.0
) -> Experiment:
    """The variants keep the given order. Raises KeyTaken, InvalidVariants."""
    _check_variants(variants, coverage)
    total = sum(spec.weight for spec in variants)
    try:
        with transaction.atomic():
            experiment = Experiment.objects.create(key=key, name=name, coverage=coverage)
            Variant.objects.bulk_create(
                Variant(
                    experiment=experiment,
                    key=spec.key,
                    name=spec.name,
                    position=position,
                    weight=spec.weight / total,
                    is_control=spec.is_control,
                )
                for position, spec in enumerate(variants)
            )
    except IntegrityError as error:
        if Experiment.objects.filter(key=key).exists():
            raise KeyTaken(key) from error
        raise
    return experiment


def start_experiment(experiment: Experiment, *, at: datetime) -> None:
    """The first start counts; starting again changes nothing."""
    Experiment.objects.filter(pk=experiment.pk, started_at=None).update(started_at=at)
    experiment.refresh_from_db(fields=["started_at"])


def end_experiment(experiment: Experiment, *, at: datetime) -> None:
    """From now on nobody is taken in; what was assigned stays, and its windows run on."""
    Experiment.objects.filter(pk=experiment.pk, ended_at=None).update(ended_at=at)
    experiment.refresh_from_db(fields=["ended_at"])


def assign(experiment: Experiment, customer_ids: Sequence[int], *, at: datetime) -> dict[int, Assigned]:
    """The variant of every customer, control included, with the chance with which it was drawn.

    A stored assignment wins over the hash, so calling twice, or after a change of weights, moves nobody. A
    customer outside the coverage is answered (None, 1 − coverage) and not stored. Ids that are no customers
    are left out. Raises NotRunning after the end. One transaction; 100,000 customers take seconds.
    """
    if experiment.ended_at is not None and experiment.ended_at <= at:
        raise NotRunning(experiment.key)
    answer: dict[int, Assigned] = {}
    variants = list(experiment.variants.order_by("position"))
    with transaction.atomic():
        # Always in the same order: two launches at once must not wait for each other crosswise.
        ordered = sorted(set(customer_ids))
        for start in range(0, len(ordered), CHUNK):
            answer.update(_assign_chunk(experiment, variants, ordered[start : start + CHUNK], at))
    return answer


def hash_value(*, customer_id: int, external_id: str | None) -> str:
    """What is hashed: the shop's own id, which its other systems know too; for visitors without one, ours."""
    return external_id or str(customer_id)


def ensure_default_metrics() -> None:
    """The metrics of a new installation; what staff changed later is left alone."""
    Metric.objects.bulk_create((Metric(**fields) for fields in DEFAULT_METRICS), ignore_conflicts=True)


def _assign_chunk(
    experiment: Experiment, variants: list[Variant], customer_ids: list[int], at: datetime
) -> dict[int, Assigned]:
    stored = assignments_of(experiment, customer_ids)
    missing = [pk for pk in customer_ids if pk not in stored]
    external = dict(Customer.objects.filter(pk__in=missing).order_by("pk").values_list("pk", "external_id"))
    values = [hash_value(customer_id=pk, external_id=known) for pk, known in external.items()]
    ranges = assignment.bucket_ranges([variant.weight for variant in variants], experiment.coverage)
    chosen = assignment.choose_each(assignment.hash_fractions(experiment.key, values), ranges).tolist()
    outside: Assigned = (None, 1 - experiment.coverage)
    answer = {pk: outside for pk, index in zip(external, chosen, strict=True) if index < 0}
    rows = [
        (pk, variants[index].pk, experiment.coverage * variants[index].weight)
        for pk, index in zip(external, chosen, strict=True)
        if index >= 0
    ]
    if rows:
        _store(experiment, rows, at)
    # Read back: another process may have stored the same customers first.
    return answer | stored | assignments_of(experiment, [pk for pk, *_rest in rows])


def _store(experiment: Experiment, rows: list[tuple[int, int, float]], at: datetime) -> None:
    table = Assignment._meta.db_table
    columns: list[Any] = [list(column) for column in zip(*rows, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (experiment_id, customer_id, variant_id, propensity, assigned_at)"  # noqa: S608
            " SELECT %s, customer, variant, chance, %s"
            " FROM unnest(%s::bigint[], %s::bigint[], %s::float8[]) AS drawn (customer, variant, chance)"
            " ON CONFLICT (experiment_id, customer_id) DO NOTHING",
            [experiment.pk, at, *columns],
        )


def _check_variants(variants: Sequence[VariantSpec], coverage: float) -> None:
    if not variants:
        raise InvalidVariants(_("An experiment needs at least one variant."))
    if len({spec.key for spec in variants}) < len(variants):
        raise InvalidVariants(_("Two variants have the same key."))
    if any(spec.weight < 0 for spec in variants) or not sum(spec.weight for spec in variants) > 0:
        raise InvalidVariants(_("Weights must not be negative, and one of them must be above 0."))
    if sum(spec.is_control for spec in variants) > 1:
        raise InvalidVariants(_("Only one variant can be the control."))
    if not 0 <= coverage <= 1:
        raise InvalidVariants(_("The coverage is a share between 0 and 1."))
