"""Remote evaluation: what one customer gets from each served experiment. Reads only, writes nothing."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from experiments.assigning import not_in_segment
from experiments.assignment import NOWHERE, Filter, Rollout
from experiments.models import Assignment, Experiment, Variant
from experiments.sdk.payload import baseline, is_running, served, value_of
from experiments.traffic.holdouts import global_filters, global_members
from experiments.traffic.rules import hash_values, rule_of
from personalization.customers.identity import known_identifiers
from personalization.customers.models import IdentifierKind
from personalization.customers.selectors import find

# Reasons of the OpenFeature specification.
DEFAULT, SPLIT, FORCED, STATIC = "DEFAULT", "SPLIT", "TARGETING_MATCH", "STATIC"


@dataclass(frozen=True)
class Evaluation:
    """`variant` is the key of what was given; only with `in_experiment` an exposure may be reported."""

    key: str
    value: Any
    variant: str
    reason: str
    in_experiment: bool = False


@dataclass(frozen=True)
class _Person:
    """`pk` is None for an id nobody knows: it hashes all the same."""

    pk: int | None
    hashed: str
    is_held_out: bool


def evaluate(targeting_key: str, *, now: datetime, only: str | None = None) -> list[Evaluation]:
    """Of all served experiments, or of the one with the key `only` (an empty list when there is none).

    A stored assignment wins over the hash; a global holdout wins over both.
    """
    experiments = [one for one in served(now=now) if only is None or one.key == only]
    person = _person(targeting_key, global_filters())
    stored = dict(
        Assignment.objects.filter(customer=person.pk, experiment__in=experiments).values_list(
            "experiment_id", "variant_id"
        )
        if person.pk is not None
        else ()
    )
    return [_evaluate(one, person, stored.get(one.pk), now=now) for one in experiments]


def _person(targeting_key: str, holdouts: list[Filter]) -> _Person:
    customer = find(targeting_key)
    pk = customer.pk if customer else None
    if pk is None:
        pk = known_identifiers(IdentifierKind.ANONYMOUS_ID, [targeting_key]).get(targeting_key)
    hashed = targeting_key if pk is None else hash_values([pk]).get(pk, targeting_key)
    outside = all(one.lets_through(hashed) for one in holdouts)
    return _Person(pk, hashed, not outside or (pk is not None and bool(global_members([pk]))))


def _evaluate(experiment: Experiment, person: _Person, stored: int | None, *, now: datetime) -> Evaluation:
    variants = list(experiment.variants.all())
    rule = rule_of(experiment, variants)
    if person.hashed in rule.forced:
        return _answer(experiment, variants[rule.forced[person.hashed]], FORCED)
    if not person.is_held_out:
        running = is_running(experiment, now=now)
        if running and (variant := _variant(experiment, variants, person, stored, now=now)) is not None:
            return _answer(experiment, variant, SPLIT, in_experiment=True)
        if not running and experiment.shipped is not None and _gets_shipped(experiment, person, now=now):
            return _answer(experiment, experiment.shipped, SPLIT if experiment.shipped_share < 1 else STATIC)
    return _answer(experiment, baseline(variants), DEFAULT)


def _variant(
    experiment: Experiment, variants: list[Variant], person: _Person, stored: int | None, *, now: datetime
) -> Variant | None:
    if stored is not None:
        return next(variant for variant in variants if variant.pk == stored)
    if not _is_in_segment(experiment, person, now=now):
        return None
    index = rule_of(experiment, variants).choose(person.hashed)
    return None if index == NOWHERE else variants[index]


def _gets_shipped(experiment: Experiment, person: _Person, *, now: datetime) -> bool:
    rollout = Rollout(experiment.key, experiment.shipped_share, experiment.hash_version)
    return rollout.takes(person.hashed) and _is_in_segment(experiment, person, now=now)


def _is_in_segment(experiment: Experiment, person: _Person, *, now: datetime) -> bool:
    if experiment.segment_version is None:
        return True
    return person.pk is not None and not not_in_segment(experiment, [person.pk], now=now)


def _answer(
    experiment: Experiment, variant: Variant, reason: str, *, in_experiment: bool = False
) -> Evaluation:
    return Evaluation(experiment.key, value_of(variant), variant.key, reason, in_experiment)
