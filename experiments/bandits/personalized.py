"""For each customer the variant expected to be best, with a known chance for every other."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.bandits.best_chance import Floats
from experiments.bandits.exploration import draw_arms, uniform_draws
from experiments.bandits.linear_thompson import LinearArm, linear_chances


@dataclass(frozen=True)
class Choice:
    """Per customer: the arm drawn, the chance with which it was, and those of all arms."""

    arms: NDArray[np.intp]
    propensities: Floats
    chances: Floats


def choose_variants(
    arms: Sequence[LinearArm],
    features: Floats,
    customers: Sequence[str],
    *,
    seed: str,
    floor: float = 0.05,
    ridge: float = 1.0,
) -> Choice:
    """`features` (customers × columns) are what is known of each; `seed` is the experiment's key.

    The draw of a customer depends on `seed` and the id alone, so a repetition chooses the same.
    Raises ValueError for a floor below 0 or above 1/arms.
    """
    chances = linear_chances(arms, features, floor=floor, ridge=ridge)
    drawn, propensities = draw_arms(chances, uniform_draws(seed, customers))
    return Choice(drawn, propensities, chances)
