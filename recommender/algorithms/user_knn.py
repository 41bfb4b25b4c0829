"""People like you took this: users are neighbors when they have the same items."""

import numpy as np
import numpy.typing as npt

from recommender.algorithms import _neighbor_kernels as kernels
from recommender.algorithms._base import Arrays, Training, gettext_noop
from recommender.algorithms._baseline import Baseline, Doubles, learn_baseline, rows_of
from recommender.algorithms._interactions import Floats, Interactions, Ints
from recommender.algorithms._neighbors import (
    Lists,
    NeighborRecommender,
    joined,
    likeness_parts,
    listed,
    nearest,
)

KINDS = {"cosine": kernels.COSINE, "pearson": kernels.PEARSON, "msd": kernels.MSD}
CENTERINGS = ("none", "mean", "baseline")
RATINGS_SHRINKAGE = 30.0


class UserKnn(NeighborRecommender):
    """What users alike have. One class for amounts and for ratings, as `similarity` and `centering` say.

    `cosine` without centering (the default) is for implicit feedback: a score is the sum over the
    `neighbors` most similar users of similarity × their weight. `shrinkage` is added to the cosine's
    denominator.

    Everything else learns from ratings: a center plus the mean deviation from their own centers of the
    `neighbors` most similar users who rated the item. The center is 0, the user's mean or μ + b_u + b_i.
    Over the items both rated, `cosine` compares deviations, `pearson` ratings around their mean there, and
    `msd` takes 1 / (1 + mean squared difference); all times (n − 1) / (n − 1 + shrinkage).
    `shrinkage` None is 0 for amounts and 30 for ratings.

    Any history is compared with the training users when it is asked for, so nothing of users × users is
    ever stored. But the model is its training histories: whoever holds the file holds them, also when it
    was saved "without histories". Sources: Resnick et al. (1994); Herlocker et al. (1999); Koren (2010).
    """

    name = "user_knn"
    title = gettext_noop("User neighbors")
    search_space = {"neighbors": ("log_int", 20, 500), "shrinkage": ("float", 0.0, 50.0)}

    def __init__(
        self,
        *,
        similarity: str = "cosine",
        centering: str = "none",
        neighbors: int = 100,
        shrinkage: float | None = None,
    ) -> None:
        if similarity not in KINDS or centering not in CENTERINGS:
            raise ValueError(
                f"similarity is one of {', '.join(KINDS)} and centering of {', '.join(CENTERINGS)}, "
                f"not {similarity!r} and {centering!r}"
            )
        if neighbors < 1 or (shrinkage is not None and shrinkage < 0):
            raise ValueError("neighbors must be at least 1 and shrinkage not negative")
        self.is_explicit = (similarity, centering) != ("cosine", "none")
        usual = RATINGS_SHRINKAGE if self.is_explicit else 0.0
        self._shrinkage = usual if shrinkage is None else float(shrinkage)
        self.similarity = similarity
        self.centering = centering
        self.neighbors = neighbors
        self.shrinkage = shrinkage

    def _learn(self, interactions: Interactions, training: Training) -> None:
        if self.is_explicit:
            self._note_scale(interactions)
            self._baseline = learn_baseline(interactions)
        self._users = Lists.of(interactions, interactions.weights)
        self._prepare()
        training.progress(1.0)

    def _prepare(self) -> None:
        """Everything that follows from the histories, so that it need not be saved."""
        users = self._users
        if not self.is_explicit:
            self._norms = users.norms
            self._items = users.turned()
            return
        known = Interactions(users.indptr, users.numbers.astype(np.int64), users.amounts, self.n_items)
        self._items = Lists(*users.parts[:2], self._compared(known), self.n_items).turned()
        self._rated = Lists(*users.parts[:2], self._deviated(known), self.n_items).turned()

    def _deviated(self, histories: Interactions) -> Doubles:
        """Ratings less their center, in the order of the entries."""
        ratings = histories.weights.astype(np.float64)
        if self.centering == "none":
            return ratings
        if self.centering == "baseline":
            return self._baseline.residuals(histories)
        return np.asarray(ratings - _means(histories)[rows_of(histories)])

    def _compared(self, histories: Interactions) -> Doubles:
        """What similarity is computed of."""
        if self.similarity == "cosine":
            return self._deviated(histories)
        return histories.weights.astype(np.float64)

    def _centers(self, histories: Interactions, rows: Ints, items: Ints) -> Doubles:
        if self.centering == "baseline":
            return super()._centers(histories, rows, items)
        return _means(histories)[rows] if self.centering == "mean" else np.zeros(len(rows))

    def _deviations(self, histories: Interactions, indptr: Ints, wanted: Ints) -> Doubles:
        found = np.empty(len(wanted))
        kernels.rate_by_users(
            KINDS[self.similarity], self.neighbors, self._shrinkage,
            *Lists.of(histories, self._compared(histories)).parts, *self._items.parts, self._rated.amounts,
            len(self._users), indptr, wanted, found,
        )  # fmt: skip
        return found

    def _score(self, histories: Interactions) -> Floats:
        if self.is_explicit:
            return self._score_ratings(histories)
        said = np.zeros(histories.shape, dtype=np.float32)
        kernels.add_rows(*self._alike(histories).parts, *self._users.parts, said)
        return listed(said)

    def _alike(self, histories: Interactions) -> Lists:
        """The nearest training users of each history, with their similarities."""
        asked = Lists.of(histories, histories.weights)
        norms, n_users = asked.norms, len(self._users)

        def find(start: int, stop: int, scores: Floats, numbers: Ints) -> None:
            kernels.nearest_by_products(
                *asked.rows(start, stop).parts, norms[start:stop], *self._items.parts, self._norms,
                self._shrinkage, -1, scores, numbers,
            )  # fmt: skip

        width = max(1, min(self.neighbors, n_users))
        return joined([block for _, block in nearest(len(asked), width, find)], n_users)

    def _contributions(
        self, items: Ints, weights: npt.NDArray[np.float64], targets: Ints
    ) -> npt.NDArray[np.float64]:
        """A similarity is a sum over common items, so each of them has its part of what a neighbor says."""
        history = Interactions(np.array([0, len(items)]), items, weights.astype(np.float32), self.n_items)
        if self.is_explicit:
            return np.array([self._shares(history, int(target)) for target in targets])
        near = self._alike(history)
        taken = self._users.matrix[near.numbers].astype(np.float64)
        norms = Lists.of(history, history.weights).norms[0] * self._norms[near.numbers] + self._shrinkage
        parts = taken[:, items].toarray() * weights / norms[:, None]
        return np.asarray(taken[:, targets].toarray().T @ parts)

    def _shares(self, history: Interactions, target: int) -> Doubles:
        """A rating is the mean of "center + deviation" over the nearest: each has its weighted share."""
        span = slice(self._items.indptr[target], self._items.indptr[target + 1])
        raters, deviations = self._items.numbers[span], self._rated.amounts[span]
        parts = self._parts(history, raters)
        alike = parts.sum(axis=1)
        near = np.argsort(-alike, kind="stable")[: self.neighbors]
        near = near[alike[near] > 0]
        center = self._centers(history, np.zeros(1, dtype=np.int64), np.array([target]))[0]
        total = max(float(alike[near].sum()), kernels.NOTHING)
        return np.asarray((center + deviations[near]) @ parts[near] / total)

    def _parts(self, history: Interactions, raters: npt.NDArray[np.int32]) -> Doubles:
        """float64[len(raters), length of the history], each row adding up to one similarity."""
        own, here = self._compared(history), history.items
        users = self._users
        flags = Lists(users.indptr, users.numbers, np.ones(len(users.numbers)), self.n_items).matrix
        theirs = self._items.matrix.T.tocsr()[raters][:, here].toarray()
        return likeness_parts(
            KINDS[self.similarity], own, theirs, flags[raters][:, here].toarray(), self._shrinkage
        )

    def _arrays(self) -> Arrays:
        indptr, items, weights = self._users.parts
        found: Arrays = {"indptr": indptr, "items": items, "weights": weights}
        return found | self._baseline.arrays() if self.is_explicit else found

    def _restore(self, arrays: Arrays) -> None:
        self._users = Lists(arrays["indptr"], arrays["items"], arrays["weights"], self.n_items)
        if self.is_explicit:
            self._baseline = Baseline.restored(arrays)
        self._prepare()


def _means(histories: Interactions) -> Doubles:
    """Of each row; 0 of an empty one."""
    counts = np.diff(histories.indptr)
    sums = np.bincount(rows_of(histories), weights=histories.weights, minlength=histories.n_users)
    return np.asarray(sums / np.maximum(counts, 1))
