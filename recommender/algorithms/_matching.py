"""How well an item matches what a user took before, in a few numbers: what decision trees learn from."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.feature_extraction.text import TfidfTransformer

from recommender.algorithms._content import norms, shares, unit_rows
from recommender.algorithms._interactions import Floats, Interactions, Ints

Columns = Mapping[str, npt.NDArray[np.float64]]
UNKNOWN = -1.0
# Success of a word is shrunk as if so many items of usual success had it, too.
CROWD_ITEMS = 1.0
PRIOR_ITEMS = 5.0


@dataclass(frozen=True)
class Profiles:
    """Of n users: the direction of their words, the share of the history with each word, how much more than
    in the catalog that is (log), how many items they took, and the mean of each number over the history
    (NaN without one).
    """

    directions: sparse.csr_matrix
    familiar: sparse.csr_matrix
    telling: sparse.csr_matrix
    sizes: Floats
    means: npt.NDArray[np.float64]


class Matcher:
    """Columns of a match, all of them float32 and without NaN:

    cosine of the profile and the item by TF-IDF; mean share of the history that has the item's words; mean
    of log(1 + items with the word in the history / expected by the catalog), as of PRIOR_ITEMS items;
    success of its words with everybody; log of the history's length; then for each number how far it is
    from the mean of the history (in standard deviations), and for each which share of the catalog is lower.
    −1 where unknown.
    """

    def __init__(self, counted: sparse.csr_matrix, numbers: npt.NDArray[np.float64], success: Floats) -> None:
        self.counted, self.numbers, self.success = counted, numbers, success
        has = (counted > 0).astype(np.float32).tocsr()
        has.sort_indices()
        lengths = np.maximum(np.diff(has.indptr), 1).astype(np.float32)
        self._has = has
        self._mean = sparse.csr_matrix(sparse.diags(1 / lengths) @ has, dtype=np.float32)
        weighted = TfidfTransformer(sublinear_tf=True).fit_transform(counted) if counted.nnz else counted
        self._directions = sparse.csr_matrix(unit_rows(sparse.csr_matrix(weighted, dtype=np.float32)))
        self._expected = PRIOR_ITEMS * np.asarray(has.sum(axis=0)).ravel() / max(has.shape[0], 1)
        self.is_known = (norms(self._directions) > 0) | np.isfinite(numbers).any(axis=1)
        self._spread = _spread(numbers)
        self._rank = np.column_stack([_rank(column) for column in numbers.T]) if numbers.size else numbers

    @property
    def n_columns(self) -> int:
        return 5 + 2 * int(self.numbers.shape[1])

    def profiles(self, histories: Interactions) -> Profiles:
        own = shares(histories)
        directions = unit_rows(sparse.csr_matrix(own @ self._directions))
        familiar = sparse.csr_matrix(own @ self._has)
        telling = familiar.copy()
        lengths = np.diff(histories.indptr)
        met = np.repeat(lengths, np.diff(telling.indptr)) * telling.data
        telling.data = np.log1p(met / self._expected[telling.indices]).astype(np.float32)
        known = np.isfinite(self.numbers)
        weight = own @ known.astype(np.float64)
        total = own @ np.where(known, self.numbers, 0)
        means = np.divide(total, weight, out=np.full(total.shape, np.nan), where=weight > 0)
        sizes = np.log1p(lengths).astype(np.float32)
        return Profiles(sparse.csr_matrix(directions), familiar, telling, sizes, means)

    def pairs(self, profiles: Profiles, rows: Ints, items: Ints, success: Floats) -> Floats:
        """float32[len(rows), n_columns] of the given pairs; `success` of each pair's item."""
        cosine = _row_sums(profiles.directions[rows], self._directions[items])
        familiar = _row_sums(profiles.familiar[rows], self._mean[items])
        telling = _row_sums(profiles.telling[rows], self._mean[items])
        known = [cosine, familiar, telling, success, profiles.sizes[rows]]
        far = np.abs(self.numbers[items] - profiles.means[rows]) / self._spread
        return _filled(np.column_stack([*known, far, self._rank[items]]))

    def grid(self, profiles: Profiles) -> Floats:
        """float32[users × items, n_columns], the items of the first user first."""
        n_users, n_items = len(profiles.sizes), len(self.success)
        found = np.empty((n_users, n_items, self.n_columns), dtype=np.float32)
        found[:, :, 0] = (profiles.directions @ self._directions.T).toarray()
        found[:, :, 1] = (profiles.familiar @ self._mean.T).toarray()
        found[:, :, 2] = (profiles.telling @ self._mean.T).toarray()
        found[:, :, 3] = self.success
        found[:, :, 4] = profiles.sizes[:, None]
        n = self.numbers.shape[1]
        found[:, :, 5 : 5 + n] = np.abs(self.numbers[None] - profiles.means[:, None]) / self._spread
        found[:, :, 5 + n :] = self._rank
        return _filled(found.reshape(n_users * n_items, self.n_columns))


def success_of(counted: sparse.csr_matrix, taken: npt.NDArray[np.float64]) -> tuple[Floats, Floats]:
    """Mean over an item's words of how often items with the word are taken, as a multiple of the usual.

    First for a new item like it, second with the item itself left out: what a tree may learn from, since
    an item's own success is not known before it is there. 1 without words.
    """
    has = (counted > 0).astype(np.float64).tocsr()
    old = taken > 0
    n_words = np.maximum(np.diff(has.indptr), 1)
    if not old.any():
        ones = np.ones(len(taken), dtype=np.float32)
        return ones, ones
    relative = taken / taken[old].mean()
    items = np.asarray(has[old].sum(axis=0)).ravel()
    takers = np.asarray(has.T @ relative).ravel()
    rows = np.repeat(np.arange(len(taken)), np.diff(has.indptr))
    words = has.indices
    whole = (takers[words] + CROWD_ITEMS) / (items[words] + CROWD_ITEMS)
    others = (takers[words] - relative[rows] + CROWD_ITEMS) / (items[words] - old[rows] + CROWD_ITEMS)
    found = []
    for values in (whole, others):
        mean = np.bincount(rows, weights=values, minlength=len(taken)) / n_words
        found.append(np.where(np.diff(has.indptr) > 0, mean, 1).astype(np.float32))
    return found[0], found[1]


def number_columns(numbers: Columns, n_items: int) -> npt.NDArray[np.float64]:
    """float64[n_items, columns] in alphabetical order of their names; infinities count as unknown."""
    columns = [np.asarray(numbers[name], dtype=np.float64) for name in sorted(numbers) if len(numbers[name])]
    if not columns:
        return np.zeros((n_items, 0))
    found = np.column_stack(columns)
    return np.where(np.isfinite(found), found, np.nan)


def _spread(numbers: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    spread = np.ones(numbers.shape[1])
    for at, column in enumerate(numbers.T):
        known = column[np.isfinite(column)]
        if len(known) and known.std() > 0:
            spread[at] = known.std()
    return spread


def _rank(column: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    known = np.sort(column[np.isfinite(column)])
    ranks = np.searchsorted(known, column) / max(len(known), 1)
    return np.where(np.isfinite(column), ranks, np.nan)


def _row_sums(first: sparse.csr_matrix, second: sparse.csr_matrix) -> Floats:
    return np.asarray(first.multiply(second).sum(axis=1), dtype=np.float32).ravel()


def _filled(found: npt.NDArray[np.floating]) -> Floats:
    return np.nan_to_num(found.astype(np.float32, copy=False), nan=UNKNOWN)
