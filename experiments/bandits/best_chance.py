"""The chance of each arm to be the best of all, from independent posteriors: exactly, not by drawing."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

Floats = NDArray[np.float64]
Function = Callable[[Floats], Floats]

# Panels and points of the integral over one arm's own quantiles: errors stay below 1e-6 (largest seen: 3e-7).
PANELS, POINTS = 128, 8


def chances_to_be_best(quantiles: Sequence[Function], distributions: Sequence[Function]) -> Floats:
    """P(arm k is largest) = ∫₀¹ Π_{j≠k} F_j(F_k⁻¹(u)) du, by Gauss and Legendre; adds up to 1.

    `quantiles` are the F⁻¹ and `distributions` the F of the arms' posteriors, which must be continuous.
    """
    nodes, weights = _nodes()
    found = np.empty(len(quantiles))
    for k, quantile in enumerate(quantiles):
        x = quantile(nodes)
        below = np.ones_like(nodes)
        for j, distribution in enumerate(distributions):
            if j != k:
                below = below * distribution(x)
        found[k] = float((weights * below).sum())
    return np.asarray(found / found.sum(), dtype=np.float64)


def chances_above(quantiles: Sequence[Function], distributions: Sequence[Function], bar: float) -> Floats:
    """As `chances_to_be_best`, among those above the bar; one more entry at the end: for none being so.

    P(arm k is largest and > bar) = ∫ Π_{j≠k} F_j(F_k⁻¹(u)) du over u from F_k(bar) to 1.
    """
    nodes, weights = _nodes()
    below_bar = [float(one(np.array([bar]))[0]) for one in distributions]
    found = np.empty(len(quantiles) + 1)
    for k, quantile in enumerate(quantiles):
        x = quantile(below_bar[k] + (1 - below_bar[k]) * nodes)
        below = np.full_like(nodes, 1 - below_bar[k])
        for j, distribution in enumerate(distributions):
            if j != k:
                below = below * distribution(x)
        found[k] = float((weights * below).sum())
    found[-1] = float(np.prod(below_bar))
    return np.asarray(found / found.sum(), dtype=np.float64)


def normal_chances_to_be_best(means: Floats, deviations: Floats) -> Floats:
    """The same for normal posteriors of many customers at once: customers × arms in and out."""
    nodes, weights = _nodes()
    found = np.zeros_like(means)
    z = ndtri(nodes)
    for k in range(means.shape[1]):
        x = means[:, [k]] + deviations[:, [k]] * z
        below = np.ones_like(x)
        for j in range(means.shape[1]):
            if j != k:
                below *= ndtr((x - means[:, [j]]) / deviations[:, [j]])
        found[:, k] = below @ weights
    return np.asarray(found / found.sum(axis=1, keepdims=True), dtype=np.float64)


def _nodes() -> tuple[Floats, Floats]:
    """Points and weights on (0, 1). Panels are narrow at both ends: a wide posterior beside a narrow one
    makes the integrand jump there.
    """
    points, weights = np.polynomial.legendre.leggauss(POINTS)
    edges = (1 - np.cos(np.pi * np.arange(PANELS + 1) / PANELS)) / 2
    half = np.diff(edges)[:, None] / 2
    middle = (edges[:-1, None] + edges[1:, None]) / 2
    return (middle + half * points).ravel(), (half * weights).ravel()
