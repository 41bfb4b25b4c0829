"""From chances to a drawn arm whose chance is known: a floor for every arm, and a draw anybody can repeat."""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from experiments.bandits.best_chance import Floats


def with_floor(chances: Floats, floor: float) -> Floats:
    """Every arm gets at least `floor`, the rest is divided as before: floor + (1 − K·floor)·p.

    `chances`: arms, or customers × arms. Raises ValueError unless 0 ≤ K·floor ≤ 1.
    """
    arms = chances.shape[-1]
    if not 0 <= floor * arms <= 1:
        raise ValueError(f"a floor for {arms} arms lies between 0 and 1/{arms}")
    return np.asarray(floor + (1 - arms * floor) * chances, dtype=np.float64)


def draw_arms(chances: Floats, draws: Floats) -> tuple[NDArray[np.intp], Floats]:
    """Arm and propensity per customer; `chances` are customers × arms, `draws` uniform on [0, 1)."""
    # The last cumulated chance may be 0.9999…: the draw must not fall behind it.
    upper = np.cumsum(chances, axis=1)[:, :-1]
    arms = (draws[:, None] >= upper).sum(axis=1)
    return arms, np.asarray(chances[np.arange(len(arms)), arms], dtype=np.float64)


def uniform_draws(seed: str, customers: Sequence[str]) -> Floats:
    """A number on [0, 1) per customer, the same in any order and on any machine."""
    digests = (
        hashlib.blake2b(f"{seed}\0{customer}".encode(), digest_size=8).digest() for customer in customers
    )
    return np.array([int.from_bytes(digest, "big") >> 11 for digest in digests], dtype=np.float64) / 2**53
