"""Groups among customers by k-means, or the answer that there are none. Pure: NumPy, SciPy, scikit-learn.

The number of groups is the largest at which they are both
 - stable: halves of the customers, grouped apart, agree on who belongs together (prediction strength of at
   least 0.8; Tibshirani and Walther, Cluster Validation by Prediction Strength, 2005), and
 - separate: on the line between the centers of any two there are at least a fifth fewer customers somewhere
   between them than at the thinner of the two peaks. K-means cuts any cloud into stable pieces; this is what
   tells groups from pieces.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from personalization.segments.discovery.scaling import Table

Labels = NDArray[np.int64]
LEAST_CUSTOMERS = 200
LEAST_SHARE = 0.02
MOST_GROUPS = 8
LEAST_STRENGTH = 0.8
LEAST_VALLEY = 0.2
HALVINGS = 4
STARTS, STARTS_OF_HALVES = 8, 3
LEAST_DIFFERENCE = 0.5  # standard deviations, for a column to stand in the name of a group
MOST_NAMED = 3


@dataclass(frozen=True)
class Tried:
    """One number of groups. `strength` and `valley` of the worst group and pair, 0 to 1."""

    groups: int
    strength: float
    valley: float
    smallest: float

    @property
    def holds(self) -> bool:
        return (
            self.strength >= LEAST_STRENGTH and self.valley >= LEAST_VALLEY and self.smallest >= LEAST_SHARE
        )


@dataclass(frozen=True)
class Groups:
    """`centers`: (groups, columns), None when no number of groups holds."""

    centers: Table | None
    labels: Labels
    tried: list[Tried]

    @property
    def number(self) -> int:
        return 0 if self.centers is None else len(self.centers)

    def assign(self, table: Table) -> Labels:
        """The group of each row."""
        assert self.centers is not None
        return nearest(table, self.centers)

    def to_json(self) -> dict[str, Any]:
        assert self.centers is not None
        return {"centers": self.centers.tolist()}


def find_groups(table: Table, *, seed: int = 0) -> Groups:
    """`table`: (customers, columns), scaled. Raises ValueError for fewer than LEAST_CUSTOMERS."""
    if len(table) < LEAST_CUSTOMERS:
        raise ValueError(f"at least {LEAST_CUSTOMERS} customers are needed")
    tried: list[Tried] = []
    best: tuple[Table, Labels] | None = None
    for number in range(2, MOST_GROUPS + 1):
        centers, labels = _cluster(table, number, seed=seed)
        sizes = np.bincount(labels, minlength=number)
        found = Tried(
            groups=number,
            strength=_prediction_strength(table, number, seed=seed),
            valley=_shallowest_valley(table, centers, labels),
            smallest=float(sizes.min() / len(table)),
        )
        tried.append(found)
        if found.holds:
            best = centers, labels
    if best is None:
        return Groups(None, np.zeros(len(table), dtype=np.int64), tried)
    return Groups(*best, tried)


def nearest(table: Table, centers: Table) -> Labels:
    """The number of the nearest center for each row."""
    distances = (centers**2).sum(axis=1) - 2 * table @ centers.T
    return np.asarray(distances.argmin(axis=1), dtype=np.int64)


def distinctions(table: Table, labels: Labels, group: int) -> list[tuple[int, float]]:
    """What sets a group apart: (column, difference to all others in standard deviations), largest first."""
    inside = labels == group
    difference = table[inside].mean(axis=0) - table[~inside].mean(axis=0)
    order = np.argsort(-np.abs(difference), kind="stable")[:MOST_NAMED]
    found = [(int(at), round(float(difference[at]), 2)) for at in order]
    return [entry for entry in found if abs(entry[1]) >= LEAST_DIFFERENCE] or found[:1]


def match_letters(before: list[str], labels: Labels, *, groups: int) -> list[str]:
    """A letter for each group: the one that most of its customers had before ("" for none), else the next
    that is free.

    So a group keeps its letter, and with it the segments made of it, when the groups are found anew.
    """
    from scipy.optimize import linear_sum_assignment

    letters = [chr(ord("A") + at) for at in range(MOST_GROUPS)]
    shared = np.zeros((groups, len(letters)))
    for label, letter in zip(labels.tolist(), before, strict=True):
        if letter in letters:
            shared[label, letters.index(letter)] += 1
    # Ties, above all where nobody had a letter, go to the first letters.
    shared -= np.arange(len(letters)) * 1e-6
    rows, columns = linear_sum_assignment(-shared)
    return [letters[column] for _row, column in sorted(zip(rows.tolist(), columns.tolist(), strict=True))]


def _cluster(table: Table, number: int, *, seed: int, starts: int = STARTS) -> tuple[Table, Labels]:
    from sklearn.cluster import KMeans

    fitted = KMeans(n_clusters=number, n_init=starts, random_state=seed).fit(table)
    return fitted.cluster_centers_, fitted.labels_.astype(np.int64)


def _prediction_strength(table: Table, number: int, *, seed: int) -> float:
    """Tibshirani and Walther (2005), section 2: the mean over halvings of the worst group's share of pairs
    that the other half's centers keep together."""
    draw = np.random.default_rng(seed)
    found = []
    for halving in range(HALVINGS):
        order = draw.permutation(len(table))
        first, second = np.array_split(order, 2)
        centers, _ = _cluster(table[first], number, seed=seed + halving, starts=STARTS_OF_HALVES)
        _, own = _cluster(table[second], number, seed=seed + halving + 100, starts=STARTS_OF_HALVES)
        told = nearest(table[second], centers)
        both = np.zeros((number, number))
        np.add.at(both, (own, told), 1)
        sizes = both.sum(axis=1)
        kept = (both * (both - 1)).sum(axis=1)
        shares = [kept[at] / (sizes[at] * (sizes[at] - 1)) if sizes[at] > 1 else 0.0 for at in range(number)]
        found.append(min(shares))
    return round(float(np.mean(found)), 3)


def _shallowest_valley(table: Table, centers: Table, labels: Labels) -> float:
    pairs = [(a, b) for a in range(len(centers)) for b in range(a)]
    return round(min(_valley(table, centers[a], centers[b], labels == a, labels == b) for a, b in pairs), 3)


def _valley(
    table: Table, first: NDArray[np.float64], second: NDArray[np.float64],
    in_first: NDArray[np.bool_], in_second: NDArray[np.bool_],
) -> float:  # fmt: skip
    """1 − density in the thinnest place between the centers ÷ density at the lower of the two peaks."""
    axis = second - first
    length = float(np.sqrt((axis**2).sum()))
    if length == 0 or not in_first.any() or not in_second.any():
        return 0.0
    axis = axis / length
    left, right = table[in_first] @ axis, table[in_second] @ axis
    width = float(np.sqrt((left.var() + right.var()) / 2)) * min(len(left), len(right)) ** -0.2
    points = np.concatenate([left, right])
    grid = np.linspace(points.min(), points.max(), 200)
    density = _density(points, grid, width=max(width, 1e-3 * length))
    border = float((first + second) @ axis / 2)
    below, above = grid <= border, grid > border
    peaks = [int(np.flatnonzero(side)[density[side].argmax()]) for side in (below, above) if side.any()]
    if len(peaks) < 2:
        return 0.0
    lower = min(density[peaks[0]], density[peaks[1]])
    return float(1 - density[peaks[0] : peaks[1] + 1].min() / lower)


def _density(points: NDArray[np.float64], grid: NDArray[np.float64], *, width: float) -> NDArray[np.float64]:
    """Gaussian kernels over a fine histogram: as good as one per point, and a hundred times cheaper."""
    counts, edges = np.histogram(points, bins=400)
    middles = (edges[:-1] + edges[1:]) / 2
    kernels = np.exp(-0.5 * ((grid[:, None] - middles[None, :]) / width) ** 2)
    return np.asarray(kernels @ counts)
