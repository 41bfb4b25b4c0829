"""For each customer the variant that earlier customers like them did best with, by known chances."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
from django.db import transaction
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from experiments.assigning import NewAssignment, not_in_segment, store
from experiments.bandits import LinearArm, choose_variants
from experiments.errors import NotPossible, NotRunning
from experiments.models import Direction, Experiment, Metric
from experiments.outcomes import load_outcomes
from experiments.selectors import assignments_of
from experiments.traffic import hash_values
from experiments.trait_table import load_traits, load_traits_like
from experiments.uplift.table import Encoder


def assign_personalized(
    experiment: Experiment,
    customer_ids: Sequence[int],
    *,
    learn_from: Experiment,
    metric: Metric,
    at: datetime,
    traits: Sequence[str] = (),
    floor: float = 0.05,
) -> dict[int, tuple[int | None, float]]:
    """The variant of every customer, stored with its propensity; like `assign`, and nobody is moved.

    Learns from those customers of `learn_from` (an earlier experiment, or this one) whose window has closed;
    its variants are matched by key, and one it did not have is drawn like any other nobody knows. Every
    variant keeps at least the chance `floor`. Who is not in the experiment's segment is answered (None, 1.0).
    Holdouts are the caller's concern. Raises NotRunning, NotPossible when nothing can be learned.
    """
    if experiment.ended_at is not None and experiment.ended_at <= at:
        raise NotRunning(experiment.key)
    variants = list(experiment.variants.order_by("position"))
    if not 0 <= floor * len(variants) <= 1:
        raise NotPossible(_("The floor of all variants together must not exceed 1."))
    outcomes = load_outcomes(learn_from, metric, as_of=at)
    table = load_traits(outcomes.customer_ids.tolist(), names=traits)
    if not table.names:
        raise NotPossible(_("Nothing is known of these customers: there are no traits to tell them apart."))
    encoder = Encoder(table)
    features = _with_constant(encoder.matrix(table))
    sign = -1.0 if metric.direction == Direction.DOWN else 1.0
    keys = dict(learn_from.variants.values_list("key", "pk"))
    arms = []
    for variant in variants:
        rows = outcomes.variant_ids == keys.get(variant.key, -1)
        arms.append(LinearArm.of(features[rows], sign * outcomes.values[rows]))
    with transaction.atomic():
        stored = assignments_of(experiment, list(customer_ids))
        values = hash_values([pk for pk in sorted(set(customer_ids)) if pk not in stored])
        outside = not_in_segment(experiment, list(values), now=at)
        drawn = [pk for pk in values if pk not in outside]
        answer: dict[int, tuple[int | None, float]] = dict.fromkeys(outside, (None, 1.0))
        if drawn:
            asked = _with_constant(encoder.matrix(load_traits_like(table, drawn)))
            ids = [values[pk] for pk in drawn]
            choice = choose_variants(arms, asked, ids, seed=f"{experiment.key}:personal", floor=floor)
            store(
                experiment,
                [
                    NewAssignment(pk, variants[int(arm)].pk, float(chance), at)
                    for pk, arm, chance in zip(drawn, choice.arms, choice.propensities, strict=True)
                ],
            )
        # Read back: another process may have stored the same customers first.
        return answer | stored | assignments_of(experiment, drawn)


def _with_constant(features: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.column_stack([np.ones(len(features)), features])
