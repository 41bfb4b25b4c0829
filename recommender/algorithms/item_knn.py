"""Who took this also took that: items are neighbors when the same users have them."""

import numpy as np
import numpy.typing as npt

from recommender.algorithms import _neighbor_kernels as kernels
from recommender.algorithms._base import Arrays, Training, gettext_noop
from recommender.algorithms._baseline import Baseline, Doubles, learn_baseline, rows_of
from recommender.algorithms._interactions import Floats, Interactions, Ints
from recommender.algorithms._neighbors import Lists, NeighborRecommender, joined, listed, nearest
from recommender.algorithms._reason_kernels import best_of_lists

OF_RATINGS = {
    "adjusted_cosine": kernels.COSINE,
    "pearson": kernels.PEARSON,
    "pearson_baseline": kernels.COSINE,
}
SIMILARITIES = ("cosine", *OF_RATINGS)
AMOUNTS_SHRINKAGE, RATINGS_SHRINKAGE = 20.0, 100.0
# A kept similarity takes 8 bytes, twice while the lists are turned, and some more while a block is found.
BYTES_PER_SIMILARITY = 20
# The lists of users and of items, and the squares that lengths are summed from; measured at 4 × 10⁶.
BYTES_PER_INTERACTION, BYTES_PER_RATING = 28, 40


class ItemKnn(NeighborRecommender):
    """Items like those of the history. One class for amounts and for ratings, as `similarity` says.

    `cosine` (implicit feedback): a score is the sum over the history of weight × similarity, over the
    item's `neighbors` nearest only. Similarity is the cosine of the two columns with `shrinkage` added to
    the denominator, so that a pair seen once or twice does not look certain.

    The others learn from ratings: μ + b_u + b_i plus the mean deviation of the `neighbors` nearest items of
    the history. Over the users who rated both, `pearson` centers ratings by the items' means there,
    `adjusted_cosine` by the users' means, `pearson_baseline` by μ + b_u + b_i; all times
    (n − 1) / (n − 1 + shrinkage). The `kept` most similar of each item are there to choose from.

    `shrinkage` None is 20 for amounts and 100 for ratings.

    Sources: Sarwar et al. (2001); shrinkage after Bell and Koren (2007); Koren (2010), equation 3.
    """

    name = "item_knn"
    title = gettext_noop("Item neighbors")
    instead = "als, or fewer neighbors"
    search_space = {"neighbors": ("log_int", 10, 400), "shrinkage": ("log", 1.0, 200.0)}

    def __init__(
        self,
        *,
        similarity: str = "cosine",
        neighbors: int = 100,
        shrinkage: float | None = None,
        kept: int = 2000,
        memory_limit_mib: int | None = None,
    ) -> None:
        if similarity not in SIMILARITIES:
            raise ValueError(f"similarity is one of {', '.join(SIMILARITIES)}, not {similarity!r}")
        if neighbors < 1 or kept < 1 or (shrinkage is not None and shrinkage < 0):
            raise ValueError("neighbors and kept must be at least 1 and shrinkage not negative")
        self.is_explicit = similarity != "cosine"
        usual = RATINGS_SHRINKAGE if self.is_explicit else AMOUNTS_SHRINKAGE
        self._shrinkage = usual if shrinkage is None else shrinkage
        self.similarity = similarity
        self.neighbors = neighbors
        self.shrinkage = shrinkage
        self.kept = kept
        self.memory_limit_mib = memory_limit_mib

    def needed_bytes(self, n_users: int, n_items: int, n_interactions: int) -> int:
        each = BYTES_PER_RATING if self.is_explicit else BYTES_PER_INTERACTION
        return BYTES_PER_SIMILARITY * n_items * self._width(n_items) + each * n_interactions

    def _width(self, n_items: int) -> int:
        """Similarities kept for an item, at most."""
        return max(1, min(self.kept if self.is_explicit else self.neighbors, n_items - 1))

    def _learn(self, interactions: Interactions, training: Training) -> None:
        amounts: npt.NDArray[np.floating] = interactions.weights
        if self.is_explicit:
            self._note_scale(interactions)
            self._baseline = learn_baseline(interactions)
            amounts = self._centered(interactions)
        users = Lists.of(interactions, amounts)
        items, n_items = users.turned(), interactions.n_items
        norms = items.norms

        def find(start: int, stop: int, scores: Floats, numbers: Ints) -> None:
            rows = items.rows(start, stop).parts
            if self.is_explicit:
                kind = OF_RATINGS[self.similarity]
                kernels.nearest_by_ratings(
                    kind, *rows, *users.parts, n_items, self._shrinkage, start, scores, numbers
                )
            else:
                kernels.nearest_by_products(
                    *rows, norms[start:stop], *users.parts, norms, self._shrinkage, start, scores, numbers
                )

        blocks = []
        for done, block in nearest(n_items, self._width(n_items), find):
            blocks.append(block)
            training.progress(done / n_items)
        # Rows are now items of the history, with the items they speak for.
        self._similar = joined(blocks, n_items).turned()
        training.progress(1.0)

    def _centered(self, interactions: Interactions) -> Doubles:
        if self.similarity == "pearson_baseline":
            return self._baseline.residuals(interactions)
        ratings = interactions.weights.astype(np.float64)
        if self.similarity == "pearson":
            return ratings
        rows = rows_of(interactions)
        counts = np.bincount(rows, minlength=interactions.n_users)
        sums = np.bincount(rows, weights=ratings, minlength=interactions.n_users)
        return np.asarray(ratings - (sums / np.maximum(counts, 1))[rows])

    def _score(self, histories: Interactions) -> Floats:
        if self.is_explicit:
            return self._score_ratings(histories)
        said = np.zeros(histories.shape, dtype=np.float32)
        taken = Lists.of(histories, histories.weights)
        kernels.add_rows(*taken.parts, *self._similar.parts, said)
        return listed(said)

    def _deviations(self, histories: Interactions, indptr: Ints, wanted: Ints) -> Doubles:
        found = np.empty(len(wanted))
        taken = Lists.of(histories, self._baseline.residuals(histories))
        kernels.rate_by_items(
            self.neighbors, *taken.parts, *self._similar.parts, self.n_items, indptr, wanted, found
        )
        return found

    def _contributions(
        self, items: Ints, weights: npt.NDArray[np.float64], targets: Ints
    ) -> npt.NDArray[np.float64]:
        similar = np.asarray(self._similar.matrix[items][:, targets].toarray().T, dtype=np.float64)
        if not self.is_explicit:
            return np.asarray(similar * weights)
        # A rating is the mean of "center + deviation" over the nearest: each has its weighted share of that.
        history = Interactions(np.array([0, len(items)]), items, weights.astype(np.float32), self.n_items)
        order = np.argsort(-similar, axis=1, kind="stable")[:, self.neighbors :]
        np.put_along_axis(similar, order, 0.0, axis=1)
        centers = self._centers(history, np.zeros(len(targets), dtype=np.int64), targets)
        shares = similar * (centers[:, None] + self._baseline.residuals(history))
        return np.asarray(shares / np.maximum(similar.sum(axis=1, keepdims=True), kernels.NOTHING))

    def _find_reasons(self, rows: Interactions, targets: Ints, found: Ints) -> None:
        if self.is_explicit:
            super()._find_reasons(rows, targets, found)
        else:
            best_of_lists(rows.indptr, rows.items, rows.weights, *self._similar.parts, targets, found)

    def _arrays(self) -> Arrays:
        similar = self._similar
        found: Arrays = {"indptr": similar.indptr, "indices": similar.numbers, "data": similar.amounts}
        return found | self._baseline.arrays() if self.is_explicit else found

    def _restore(self, arrays: Arrays) -> None:
        self._similar = Lists(arrays["indptr"], arrays["indices"], arrays["data"], self.n_items)
        if len(self._similar) != self.n_items:
            raise ValueError(f"there are neighbors of {len(self._similar)} items")
        if self.is_explicit:
            self._baseline = Baseline.restored(arrays)
