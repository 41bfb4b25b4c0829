"""What GrowthBook's clients load: every served experiment as a feature, with the rules to decide by hash."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Prefetch

from experiments.assignment import Filter
from experiments.models import Experiment, Variant
from experiments.sdk.conditions import Condition, condition_of
from experiments.traffic.holdouts import global_filters
from experiments.traffic.rules import layer_filters
from personalization.segments.definition import parse

ATTRIBUTE = "id"  # which of the client's attributes holds the customer's id


def served(*, now: datetime) -> list[Experiment]:
    """Experiments that clients may read, with variants in order; also ended ones, whose default goes on."""
    ordered = Prefetch("variants", Variant.objects.order_by("position"))
    found = Experiment.objects.filter(is_served=True, started_at__lte=now).order_by("key")
    return list(found.select_related("layer", "segment_version", "shipped").prefetch_related(ordered))


def is_running(experiment: Experiment, *, now: datetime) -> bool:
    return experiment.ended_at is None or experiment.ended_at > now


def baseline(variants: Sequence[Variant]) -> Variant:
    """What everybody gets who takes no part: the control, else the first variant."""
    return next((variant for variant in variants if variant.is_control), variants[0])


def value_of(variant: Variant) -> Any:
    return variant.key if variant.value is None else variant.value


def payload(*, now: datetime) -> dict[str, Any]:
    """`notServed` names experiments whose segment cannot be told from attributes: everybody gets the
    baseline there. Clients ignore it; it is for who looks for the reason."""
    holdouts = global_filters()
    features: dict[str, Any] = {}
    missing: dict[str, str] = {}
    for experiment in served(now=now):
        condition = _condition(experiment)
        if condition is None:
            missing[experiment.key] = "its segment needs more than attributes; use remote evaluation"
        features[experiment.key] = _feature(experiment, condition, holdouts, now=now)
    return {"status": 200, "features": features, "experiments": [], "notServed": missing}


def _condition(experiment: Experiment) -> Condition | None:
    version = experiment.segment_version
    return {} if version is None else condition_of(parse(version.definition))


def _feature(
    experiment: Experiment, condition: Condition | None, holdouts: list[Filter], *, now: datetime
) -> dict[str, Any]:
    variants = list(experiment.variants.all())
    rules: list[dict[str, Any]] = [
        {"condition": {ATTRIBUTE: {"$in": variant.forced_ids}}, "force": value_of(variant)}
        for variant in variants
        if variant.forced_ids
    ]
    if condition is not None:
        limits: dict[str, Any] = {"condition": condition} if condition else {}
        if is_running(experiment, now=now):
            rules.append({**_rule(experiment, variants, holdouts), **limits})
        elif experiment.shipped is not None:
            rules.append({**_shipped(experiment, experiment.shipped, holdouts), **limits})
    return {"defaultValue": value_of(baseline(variants)), "rules": rules}


def _rule(experiment: Experiment, variants: list[Variant], holdouts: list[Filter]) -> dict[str, Any]:
    return {
        "key": experiment.key,
        "name": experiment.name,
        **_hashing(experiment, [*holdouts, *layer_filters(experiment)]),
        "variations": [value_of(variant) for variant in variants],
        "weights": [variant.weight for variant in variants],
        "coverage": experiment.coverage,
        "meta": [{"key": variant.key, "name": variant.name} for variant in variants],
    }


def _shipped(experiment: Experiment, variant: Variant, holdouts: list[Filter]) -> dict[str, Any]:
    # A range and not a coverage: the clients disagree whether the latter holds its upper end.
    return {
        "force": value_of(variant),
        "range": [0, experiment.shipped_share],
        **_hashing(experiment, holdouts),
    }


def _hashing(experiment: Experiment, filters: list[Filter]) -> dict[str, Any]:
    return {
        "hashAttribute": ATTRIBUTE,
        "hashVersion": experiment.hash_version,
        "seed": experiment.key,
        "filters": [
            {"seed": one.seed, "ranges": one.ranges, "hashVersion": one.version, "attribute": ATTRIBUTE}
            for one in filters
        ],
    }
