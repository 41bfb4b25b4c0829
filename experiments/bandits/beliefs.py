"""What to believe of arms whose chances followed what they did: of each its interval and the chance to be
the best, and what it costs not to have drawn the best alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from scipy import stats
from scipy.stats import qmc

from experiments.bandits.best_chance import Floats
from experiments.off_policy import ArmSums

ALPHA = 0.05
PRIOR = (1.0, 1.0)  # as `beta_chances` draws by
LEAST = 3  # effective decisions; below, an amount's own spread is unknown
# Where the panels of the integrals end, by quantiles of each arm, and points on each panel.
_LOW = np.array([1e-9, 1e-6, 1e-4, 0.003, 0.03, 0.15, 0.4])
LEVELS = np.concatenate([_LOW, 1 - _LOW[::-1]])
NODES = 8
POINTS = 9  # 2⁹ points of a regular sequence carry the intervals of what learning cost


@dataclass(frozen=True)
class ArmBelief:
    """`best`: the chance to be the best of all arms. `loss`: what is expected to be lost for each decision
    that takes this arm rather than the best, in the metric's unit."""

    interval: tuple[float, float]
    best: float
    loss: float


@dataclass(frozen=True)
class Regret:
    """What the decisions so far are expected to have lost against the best arm alone, in the metric's unit,
    and what equal shares would have lost; intervals are credible ones."""

    value: float
    interval: tuple[float, float]
    even: float
    saved: float
    saved_interval: tuple[float, float]


def posterior(arm: ArmSums, *, is_share: bool) -> Any | None:
    """A distribution of scipy for the arm's mean; None while there is too little.

    Shares: Beta(1 + m·v, 1 + m·(1 − v)) with the weighted value v of m effective decisions. Amounts:
    Student's t with m − 1 degrees around v. Where all chances are alike these are the posteriors that
    Thompson's rule draws by (see `beta_chances`, `normal_chances`); weights keep them right where the
    chances followed a season or the customer.
    """
    n, value, error = arm.effective, arm.value or 0.0, arm.error
    if is_share:
        share = min(max(value, 0.0), 1.0)
        return stats.beta(PRIOR[0] + n * share, PRIOR[1] + n * (1 - share))
    if n < LEAST or not error:
        return None
    return stats.t(n - 1, loc=value, scale=error)


@lru_cache(maxsize=4096)
def believe(
    arms: tuple[ArmSums, ...], *, is_share: bool, more_is_better: bool = True
) -> tuple[ArmBelief, ...] | None:
    """Of each arm; None while one of them cannot be told."""
    found = _posteriors(arms, is_share=is_share)
    if not found:
        return None
    chances, top = _best(found, more_is_better=more_is_better)
    sign = 1 if more_is_better else -1
    return tuple(
        ArmBelief(
            (float(one.ppf(ALPHA / 2)), float(one.isf(ALPHA / 2))), float(chance),
            max(0.0, sign * (top - float(one.mean()))),
        )
        for one, chance in zip(found, chances, strict=True)
    )  # fmt: skip


@lru_cache(maxsize=512)
def regret_of(
    arms: tuple[ArmSums, ...], counts: tuple[int, ...], *, is_share: bool, more_is_better: bool = True
) -> Regret | None:
    """`counts`: decisions that took each arm. None while one of the arms cannot be told."""
    beliefs = believe(arms, is_share=is_share, more_is_better=more_is_better)
    if beliefs is None:
        return None
    n = np.array(counts, dtype=np.float64)
    even = np.full(len(n), n.sum() / len(n))
    losses = np.array([one.loss for one in beliefs])
    # Joint draws of all arms by a regular sequence, moved off 0: the same on any machine.
    points = qmc.Sobol(len(arms), scramble=False).random_base2(POINTS) + 2.0 ** -(POINTS + 1)
    posteriors = _posteriors(arms, is_share=is_share)
    drawn = np.column_stack([one.ppf(points[:, k]) for k, one in enumerate(posteriors)])
    best = drawn.max(axis=1) if more_is_better else drawn.min(axis=1)
    lost = np.abs(best[:, None] - drawn)
    return Regret(
        float(n @ losses), _interval(lost @ n), float(even @ losses),
        float((even - n) @ losses), _interval(lost @ (even - n)),
    )  # fmt: skip


def _posteriors(arms: Sequence[ArmSums], *, is_share: bool) -> list[Any]:
    """Of all arms, or none."""
    found = [one for arm in arms if (one := posterior(arm, is_share=is_share)) is not None]
    return found if len(found) == len(arms) else []


def _best(posteriors: Sequence[Any], *, more_is_better: bool) -> tuple[Floats, float]:
    """The chance of each arm to have the largest (smallest) mean, ∫ f_k Π_{j≠k} F_j dx, and what that mean is
    expected to be; by Gauss and Legendre between the quantiles of all arms, errors below 1e-6."""
    edges = np.unique(np.concatenate([one.ppf(LEVELS) for one in posteriors]))
    points, weights = np.polynomial.legendre.leggauss(NODES)
    half, middle = np.diff(edges)[:, None] / 2, (edges[1:, None] + edges[:-1, None]) / 2
    x, w = (middle + half * points).ravel(), (half * weights).ravel()
    behind = [one.cdf(x) if more_is_better else one.sf(x) for one in posteriors]
    parts = []
    for k, one in enumerate(posteriors):
        part = w * one.pdf(x)
        for j, other in enumerate(behind):
            if j != k:
                part = part * other
        parts.append(part)
    chances = np.array([part.sum() for part in parts])
    top = sum(float((part * x).sum()) for part in parts)
    return np.asarray(chances / chances.sum(), dtype=np.float64), top / float(chances.sum())


def _interval(values: Floats) -> tuple[float, float]:
    low, high = np.quantile(values, [ALPHA / 2, 1 - ALPHA / 2])
    return float(low), float(high)
