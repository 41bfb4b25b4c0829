"""Thompson sampling with a linear model per arm: the best arm depends on who it is for."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from experiments.bandits.best_chance import Floats, normal_chances_to_be_best
from experiments.bandits.exploration import with_floor

# Rows at once: customers × arms × points of the integral stay small in memory.
CHUNK = 2_000


@dataclass(frozen=True)
class LinearArm:
    """Sums over the customers who got this arm: n, Σxxᵀ, Σxr, Σr². They add up over days and machines."""

    n: int
    xx: Floats
    xr: Floats
    rr: float

    @classmethod
    def of(cls, features: Floats, rewards: Floats) -> Self:
        """`features`: customers × columns, one of them constant if a level is wanted."""
        return cls(len(rewards), features.T @ features, features.T @ rewards, float(rewards @ rewards))

    @classmethod
    def empty(cls, columns: int) -> Self:
        return cls(0, np.zeros((columns, columns)), np.zeros(columns), 0.0)

    def __add__(self, other: "LinearArm") -> "LinearArm":
        return LinearArm(self.n + other.n, self.xx + other.xx, self.xr + other.xr, self.rr + other.rr)


def linear_chances(
    arms: Sequence[LinearArm],
    features: Floats,
    *,
    floor: float = 0.01,
    ridge: float = 1.0,
    spread: float | None = None,
) -> Floats:
    """Customers × arms: the chance with which each arm is to be drawn for each customer.

    The posterior of an arm's mean reward at x is N(xᵀμ, v²·xᵀB⁻¹x) with B = ridge·I + Σxxᵀ and μ = B⁻¹Σxr;
    the chance to be the largest is integrated, not drawn. `spread` is v; left out, it is the deviation of the
    rewards around the models (the paper's own v, in `cautious_spread`, explores far more).
    Source: Agrawal and Goyal (2013), ICML, algorithm 1, with parameters of its own for each arm.
    """
    if ridge <= 0 or (spread is not None and spread <= 0):
        raise ValueError("ridge and spread must be positive")
    v = _residual_deviation(arms, ridge) if spread is None else spread
    found = np.empty((len(features), len(arms)))
    inverses = [np.linalg.inv(ridge * np.eye(len(arm.xr)) + arm.xx) for arm in arms]
    for start in range(0, len(features), CHUNK):
        x = features[start : start + CHUNK]
        means = np.column_stack([x @ (b @ arm.xr) for b, arm in zip(inverses, arms, strict=True)])
        deviations = np.column_stack([np.sqrt(np.einsum("ij,jk,ik->i", x, b, x)) for b in inverses])
        found[start : start + CHUNK] = normal_chances_to_be_best(means, np.maximum(v * deviations, 1e-12))
    return with_floor(found, floor)


def expected_rewards(arms: Sequence[LinearArm], features: Floats, *, ridge: float = 1.0) -> Floats:
    """Customers × arms: what each arm is expected to bring."""
    return np.column_stack([features @ _solve(arm, ridge) for arm in arms])


def cautious_spread(*, columns: int, rounds: int, delta: float = 0.05, noise: float = 1.0) -> float:
    """v = R·√(9 d ln(t/δ)), with which the regret bound is proved. Source: Agrawal and Goyal (2013)."""
    return noise * math.sqrt(9 * columns * math.log(rounds / delta))


def _residual_deviation(arms: Sequence[LinearArm], ridge: float) -> float:
    """Of rewards around the arms' own models; 1 while nobody has a reward."""
    n = sum(arm.n for arm in arms)
    squares = 0.0
    for arm in arms:
        mu = _solve(arm, ridge)
        squares += arm.rr - 2 * float(mu @ arm.xr) + float(mu @ arm.xx @ mu)
    return math.sqrt(squares / n) if n and squares > 0 else 1.0


def _solve(arm: LinearArm, ridge: float) -> Floats:
    return np.asarray(np.linalg.solve(ridge * np.eye(len(arm.xr)) + arm.xx, arm.xr), dtype=np.float64)
