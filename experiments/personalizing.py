"""Which message earlier customers did best with, for everybody or for each, and a draw by known chances.

The control, where there is one, keeps its share: what everything earns is measured against it.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import numpy as np
from django.db import transaction
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from experiments.assigning import NewAssignment, not_in_segment, store
from experiments.bandits import (
    LinearArm,
    beta_chances,
    draw_arms,
    linear_chances,
    normal_chances,
    uniform_draws,
)
from experiments.errors import NotPossible, NotRunning
from experiments.models import Direction, Experiment, Metric, Variant
from experiments.selectors import assignments_of
from experiments.stats import Mean, Proportion
from experiments.sums.outcomes import Outcomes, load_outcomes
from experiments.traffic.rules import hash_values
from experiments.trait_table import load_traits, load_traits_like
from experiments.uplift.table import Encoder

Floats = NDArray[np.float64]
Assigned = dict[int, tuple[int | None, float]]


def assign_personalized(
    experiment: Experiment,
    customer_ids: Sequence[int],
    *,
    learn_from: Experiment,
    metric: Metric,
    at: datetime,
    traits: Sequence[str] = (),
    floor: float = 0.05,
    within: timedelta | None = None,
    seed: str = "personal",
) -> Assigned:
    """The variant of every customer, stored with its propensity; like `assign`, and nobody is moved.

    Learns from those customers of `learn_from` (an earlier experiment, or this one) whose window (`within`: a
    shorter one) has closed; its variants are matched by key, and one it did not have is drawn like any other
    nobody knows. Every message keeps at least the chance `floor` among the messages. Who is not in the
    experiment's segment is answered (None, 1.0). Holdouts are the caller's concern. Raises NotRunning,
    NotPossible when nothing can be learned.
    """
    outcomes = load_outcomes(learn_from, metric, as_of=at, within=within)
    table = load_traits(outcomes.customer_ids.tolist(), names=traits)
    if not table.names:
        raise NotPossible(_("Nothing is known of these customers: there are no traits to tell them apart."))
    encoder = Encoder(table)
    features, messages = _with_constant(encoder.matrix(table)), _messages(experiment, floor)
    arms = [
        LinearArm.of(features[rows], _sign(metric) * outcomes.values[rows])
        for rows in _rows_of(outcomes, learn_from, messages)
    ]

    def chances(ids: list[int]) -> Floats:
        asked = _with_constant(encoder.matrix(load_traits_like(table, ids)))
        return linear_chances(arms, asked, floor=floor)

    return _draw(experiment, customer_ids, chances, at=at, seed=seed)


def assign_learned(
    experiment: Experiment,
    customer_ids: Sequence[int],
    *,
    metric: Metric,
    at: datetime,
    floor: float = 0.1,
    within: timedelta | None = None,
    seed: str = "learned",
) -> Assigned:
    """As `assign_personalized`, with the same chances for all: by Thompson's rule on this experiment's own
    customers so far. Raises NotRunning, NotPossible."""
    chances = learned_chances(experiment, [experiment], metric=metric, at=at, floor=floor, within=within)
    return assign_by(experiment, customer_ids, chances, at=at, seed=seed)


def learned_chances(
    experiment: Experiment,
    learn_from: Sequence[Experiment],
    *,
    metric: Metric,
    at: datetime,
    floor: float,
    within: timedelta | None = None,
) -> list[float]:
    """The chance of each message among the messages, by what the customers of these experiments did together;
    variants are matched by key. Raises NotPossible when none of them can tell anything."""
    messages = _messages(experiment, floor)
    pooled: list[list[Floats]] = [[] for _message in messages]
    trouble: NotPossible | None = None
    for source in learn_from:
        try:
            outcomes = load_outcomes(source, metric, as_of=at, within=within)
        except NotPossible as error:
            trouble = trouble or error
            continue
        for place, rows in enumerate(_rows_of(outcomes, source, messages)):
            pooled[place].append(_sign(metric) * outcomes.values[rows])
    if trouble is not None and not any(pooled):
        raise trouble
    return [float(one) for one in _thompson([np.concatenate(one) for one in pooled], floor)]


def assign_by(
    experiment: Experiment,
    customer_ids: Sequence[int],
    chances: Sequence[float],
    *,
    at: datetime,
    seed: str,
    is_kept: bool = True,
) -> Assigned:
    """Draws by these chances among the messages, the same for all, and stores it if it `is_kept`. Raises
    NotRunning."""
    row = np.array(chances)
    return _draw(
        experiment, customer_ids, lambda ids: np.tile(row, (len(ids), 1)), at=at, seed=seed, is_kept=is_kept
    )


def _thompson(values: Sequence[Floats], floor: float) -> Floats:
    if all(np.isin(np.abs(one), (0, 1)).all() for one in values):
        # Less may be more: then those who did not do it are the successes.
        down = any((one < 0).any() for one in values)
        return beta_chances(
            [Proportion(len(one), int((one == 0).sum() if down else one.sum())) for one in values],
            floor=floor,
        )
    return normal_chances(
        [Mean(len(one), float(one.sum()), float((one**2).sum())) for one in values], floor=floor
    )


def _messages(experiment: Experiment, floor: float) -> list[Variant]:
    found = list(experiment.variants.filter(is_control=False).order_by("position"))
    if not 0 <= floor * len(found) <= 1:
        raise NotPossible(_("The floor of all variants together must not exceed 1."))
    return found


def _rows_of(outcomes: Outcomes, source: Experiment, messages: Sequence[Variant]) -> list[NDArray[np.bool_]]:
    keys = dict(source.variants.values_list("key", "pk"))
    return [outcomes.variant_ids == keys.get(message.key, -1) for message in messages]


def _draw(
    experiment: Experiment,
    customer_ids: Sequence[int],
    chances: Callable[[list[int]], Floats],
    *,
    at: datetime,
    seed: str,
    is_kept: bool = True,
) -> Assigned:
    """`chances`: ids → customers × messages. The control keeps its weight, the messages share the rest."""
    if experiment.ended_at is not None and experiment.ended_at <= at:
        raise NotRunning(experiment.key)
    variants = list(experiment.variants.order_by("position"))
    with transaction.atomic():
        stored = assignments_of(experiment, list(customer_ids))
        values = hash_values([pk for pk in sorted(set(customer_ids)) if pk not in stored])
        outside = not_in_segment(experiment, list(values), now=at)
        drawn = [pk for pk in values if pk not in outside]
        answer: Assigned = dict.fromkeys(outside, (None, 1.0))
        if drawn:
            full = _with_control(variants, chances(drawn))
            draws = uniform_draws(f"{experiment.key}:{seed}", [values[pk] for pk in drawn])
            arms, propensities = draw_arms(full, draws)
            rows = [
                NewAssignment(pk, variants[int(arm)].pk, float(chance), at)
                for pk, arm, chance in zip(drawn, arms, propensities, strict=True)
            ]
            if not is_kept:
                return answer | stored | {row.customer_id: (row.variant_id, row.propensity) for row in rows}
            store(experiment, rows)
        # Read back: another process may have stored the same customers first.
        return answer | stored | assignments_of(experiment, drawn)


def _with_control(variants: Sequence[Variant], chances: Floats) -> Floats:
    kept = next((variant.weight for variant in variants if variant.is_control), 0.0)
    full, place = np.empty((len(chances), len(variants))), 0
    for column, variant in enumerate(variants):
        if variant.is_control:
            full[:, column] = kept
        else:
            full[:, column] = (1 - kept) * chances[:, place]
            place += 1
    return full


def _sign(metric: Metric) -> float:
    return -1.0 if metric.direction == Direction.DOWN else 1.0


def _with_constant(features: Floats) -> Floats:
    return np.column_stack([np.ones(len(features)), features])
