"""The chance that an effect's running score crosses given bounds at given looks, by exact integration.

The score Z at information I has mean drift·√I and Z·√I moves in independent steps, so that the density after
each look follows from the one before. Source: Armitage, McPherson and Rowe (1969); Jennison and Turnbull
(2000), chapter 19.
"""

import math
from collections.abc import Sequence
from functools import cache

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from experiments.stats.columns import Array

NODES = 160
MOST_NODES = 2000
REACH = 8.5  # standard errors; less than 1e-16 lies beyond
FAR = 37.5  # no test needs a bound beyond this one


@cache
def _nodes(number: int) -> tuple[Array, Array]:
    points, weights = np.polynomial.legendre.leggauss(number)
    return points, weights


def nodes_for(information: Sequence[float]) -> int:
    """Enough of them that even the shortest step is wider than their distance."""
    shortest = min(later - earlier for earlier, later in zip((0.0, *information), information, strict=False))
    return min(max(NODES, math.ceil(24 * math.sqrt(information[-1] / shortest))), MOST_NODES)


class Walk:
    """The part of the density of Z·√I that has crossed no bound so far."""

    def __init__(self, *, two_sided: bool, drift: float = 0.0, nodes: int = NODES) -> None:
        self.two_sided = two_sided
        self.drift = drift
        self.nodes = nodes
        self.information = 0.0
        self.points: Array = np.zeros(1)
        self.mass: Array = np.ones(1)

    def crossing(self, bound: float, information: float) -> float:
        """The chance of crossing ±bound (or +bound) first at this information."""
        step = information - self.information
        center = self.points + self.drift * step
        edge = bound * math.sqrt(information)
        passed = ndtr((center - edge) / math.sqrt(step))
        if self.two_sided:
            passed = passed + ndtr((-edge - center) / math.sqrt(step))
        return float(self.mass @ passed)

    def bound_for(self, chance: float, information: float) -> float:
        """The bound that is first crossed here with this chance; FAR when it is too small to matter."""
        if self.information == 0 and self.drift == 0:
            # Exact, and good for chances that integration cannot tell from 0.
            sides = 2 if self.two_sided else 1
            return min(-float(ndtri(chance / sides)), FAR) if chance > 0 else FAR
        if self.crossing(FAR, information) >= chance:
            return FAR
        least = 0.0 if self.two_sided else -FAR
        if self.crossing(least, information) <= chance:
            return least
        target = math.log(chance)

        def miss(bound: float) -> float:
            found = self.crossing(bound, information)
            return (math.log(found) if found > 0 else -1e5) - target

        return float(brentq(miss, least, FAR, xtol=1e-12, rtol=1e-14))

    def go_on(self, bound: float, information: float) -> None:
        """Keeps what has not crossed."""
        points, weights = _nodes(self.nodes)
        step, root = information - self.information, math.sqrt(information)
        middle = self.drift * information
        high = min(bound * root, middle + REACH * root)
        low = max(-bound * root, middle - REACH * root) if self.two_sided else middle - REACH * root
        if high <= low:
            self.points, self.mass = np.array([middle]), np.zeros(1)
        else:
            half = (high - low) / 2
            new = low + half * (points + 1)
            gaps = (new[:, None] - (self.points + self.drift * step)[None, :]) / math.sqrt(step)
            density = np.exp(-0.5 * gaps**2) @ self.mass / math.sqrt(2 * math.pi * step)
            self.points, self.mass = new, half * weights * density
        self.information = information


def crossing_chances(
    bounds: Sequence[float], information: Sequence[float], *, two_sided: bool = True, drift: float = 0.0
) -> list[float]:
    """For each look, the chance that the score crosses there for the first time.

    `drift` is the mean score at information 1. A two-sided crossing counts in either direction.
    """
    walk = Walk(two_sided=two_sided, drift=drift, nodes=nodes_for(information))
    found = []
    for bound, at in zip(bounds, information, strict=True):
        found.append(walk.crossing(bound, at))
        walk.go_on(bound, at)
    return found
