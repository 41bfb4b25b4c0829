"""Writes: experiments with their variants and shares of customers, the metrics of a new installation.

Who is assigned to which variant is written in `assigning`, holdouts in `holdouts`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from experiments.assigning import Assigned, assign
from experiments.definitions.defaults import DEFAULT_METRICS
from experiments.errors import InvalidTraffic, InvalidVariants, KeyTaken, LayerTaken, WrongState
from experiments.models import Allocation, Experiment, Layer, Metric, Origin, Variant
from experiments.traffic.layers import LayerPart, free_text, taken_parts
from personalization.segments.models import SegmentVersion

__all__ = [
    "Assigned", "LayerPart", "VariantSpec", "assign", "change_coverage", "create_experiment",
    "end_experiment", "ensure_default_metrics", "serve", "ship", "start_experiment",
]  # fmt: skip


@dataclass(frozen=True)
class VariantSpec:
    """`weight` is relative to the other variants; the stored ones add up to 1. `value` is what clients are
    given (None: the key), `forced_ids` who always sees it and is not counted."""

    key: str
    name: str
    weight: float
    is_control: bool = False
    value: Any = None
    forced_ids: Sequence[str] = field(default_factory=list)


def create_experiment(
    *,
    key: str,
    name: str,
    variants: Sequence[VariantSpec],
    coverage: float = 1.0,
    origin: Origin = Origin.LAUNCH,
    allocation: Allocation = Allocation.FIXED,
    hash_version: int = 2,
    is_served: bool = False,
    segment_version: SegmentVersion | None = None,
    layer_part: LayerPart | None = None,
    within: Experiment | None = None,
) -> Experiment:
    """The variants keep the given order. `hash_version` 1 is for what was begun elsewhere. `within`: the
    experiment inside of whose messages this one is tried.

    Raises KeyTaken, InvalidVariants, InvalidTraffic, LayerTaken.
    """
    _check_variants(variants, coverage)
    _check_traffic(variants, hash_version=hash_version, is_served=is_served)
    total = sum(spec.weight for spec in variants)
    try:
        with transaction.atomic():
            part = _reserve(layer_part)
            experiment = Experiment.objects.create(
                key=key, name=name, coverage=coverage, origin=origin, allocation=allocation,
                hash_version=hash_version, within=within,
                is_served=is_served, segment_version=segment_version, **part,
            )  # fmt: skip
            Variant.objects.bulk_create(
                Variant(
                    experiment=experiment,
                    key=spec.key,
                    name=spec.name,
                    position=position,
                    weight=spec.weight / total,
                    is_control=spec.is_control,
                    value=spec.value,
                    forced_ids=list(spec.forced_ids),
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


def change_coverage(experiment: Experiment, *, coverage: float) -> None:
    """Takes more customers in; nobody who takes part already is moved.

    Once started it is never lowered: clients that hash by themselves would drop customers who take part. To
    take nobody in any more, end the experiment. Raises InvalidTraffic, WrongState.
    """
    with transaction.atomic():
        locked = Experiment.objects.select_for_update().get(pk=experiment.pk)
        if locked.ended_at is not None:
            raise WrongState(_("The experiment has ended: it takes nobody in any more."))
        if not 0 <= coverage <= 1:
            raise InvalidTraffic(_("The coverage is a share between 0 and 1."))
        if locked.started_at is not None and coverage < locked.coverage:
            raise InvalidTraffic(
                _(
                    "The coverage of a started experiment can only be raised: lowering it would drop"
                    " customers who take part. End the experiment to take nobody in any more."
                )
            )
        Experiment.objects.filter(pk=experiment.pk).update(coverage=coverage)
    experiment.refresh_from_db(fields=["coverage"])


def serve(experiment: Experiment, *, is_served: bool) -> None:
    """Lets clients read it, or not any more. Raises InvalidTraffic, InvalidVariants."""
    if is_served:
        _check_served(experiment.variants.count(), experiment.hash_version)
    Experiment.objects.filter(pk=experiment.pk).update(is_served=is_served)
    experiment.is_served = is_served


def ship(experiment: Experiment, *, variant_key: str, share: float = 1.0) -> None:
    """After the end, clients give this variant to a share of everybody, by the experiment's own hash.

    The share can only grow while the variant stays the same. Raises WrongState, InvalidVariants,
    InvalidTraffic.
    """
    with transaction.atomic():
        locked = Experiment.objects.select_for_update().get(pk=experiment.pk)
        if locked.ended_at is None:
            raise WrongState(_("End the experiment before a variant is shipped."))
        variant = locked.variants.filter(key=variant_key).first()
        if variant is None:
            raise InvalidVariants(_("The experiment has no such variant."))
        if not 0 < share <= 1:
            raise InvalidTraffic(_("The share lies above 0 and is at most 1."))
        if locked.shipped_id == variant.pk and share < locked.shipped_share:
            raise InvalidTraffic(_("Who got the variant keeps it: the share can only be raised."))
        Experiment.objects.filter(pk=experiment.pk).update(shipped=variant, shipped_share=share)
    experiment.refresh_from_db(fields=["shipped", "shipped_share"])


def ensure_default_metrics() -> None:
    """The metrics of a new installation; what staff changed later is left alone."""
    Metric.objects.bulk_create((Metric(**fields) for fields in DEFAULT_METRICS), ignore_conflicts=True)


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


def _check_traffic(variants: Sequence[VariantSpec], *, hash_version: int, is_served: bool) -> None:
    if hash_version not in (1, 2):
        raise InvalidTraffic(_("There are hash versions 1 and 2."))
    if is_served:
        _check_served(len(variants), hash_version)
    forced = [value for spec in variants for value in spec.forced_ids]
    if len(set(forced)) < len(forced):
        raise InvalidVariants(_("An id can always see one variant only."))


def _check_served(variants: int, hash_version: int) -> None:
    if hash_version != 2:
        raise InvalidTraffic(
            _(
                "Hash version 1 is only for what was begun elsewhere: it makes parallel experiments depend on"
                " each other, so it is not served."
            )
        )
    if variants < 2:
        raise InvalidVariants(_("An experiment that is served to clients needs two variants."))


def _reserve(layer_part: LayerPart | None) -> dict[str, Any]:
    """The columns of an experiment's part of its layer. Call inside a transaction; raises as its caller."""
    if layer_part is None:
        return {}
    if not 0 <= layer_part.start < layer_part.end <= 1:
        raise InvalidTraffic(_("A part of a layer begins at 0 or later, ends later, and at 1 at the latest."))
    # The layer's row is the queue; the database's own constraint guards what does not come this way.
    layer = Layer.objects.select_for_update().get(pk=layer_part.layer.pk)
    taken = taken_parts(layer)
    if any(other.overlaps(layer_part) for other in taken):
        raise LayerTaken(_("Free parts of the layer: %(parts)s.") % {"parts": free_text(taken)})
    return {"layer": layer, "layer_start": layer_part.start, "layer_end": layer_part.end}
