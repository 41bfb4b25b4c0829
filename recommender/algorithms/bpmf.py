"""Bayesian matrix factorization of ratings: many plausible models, whose spread says how sure the mean is."""

from dataclasses import replace
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from recommender.algorithms._base import Arrays, Training, gettext_noop
from recommender.algorithms._factors import Doubles, FactorRatings, known_rows
from recommender.algorithms._gibbs import draw_prior
from recommender.algorithms._gibbs_kernels import draw_rows
from recommender.algorithms._interactions import Floats, Interactions, Ints

START_SPREAD = 0.3
START_NOISE = 0.7


class Bpmf(FactorRatings):
    """r ~ N(μ + p_uᵀq_i, 1/α), the vectors' means and precisions and α unknown too: Gibbs sampling.

    Kept are `samples` draws of everything after `burn_in` draws; predicted is their mean. There is nothing
    to tune: the strength of regularization is drawn as well. A history is folded in as the mean of its
    vector under each draw. Memory: 4 bytes × factors × samples × (users + items).
    Source: Salakhutdinov and Mnih (2008), Bayesian Probabilistic Matrix Factorization using MCMC; α from
    the flat limit of its gamma distribution instead of fixed.
    """

    name = "bpmf"
    title = gettext_noop("Bayesian PMF (ratings, with their uncertainty)")
    instead = "svd"

    def __init__(self, *, factors: int = 8, burn_in: int = 20, samples: int = 80, seed: int = 0) -> None:
        if factors < 1 or samples < 1 or burn_in < 0:
            raise ValueError("factors and samples must be positive, burn_in not negative")
        self.factors = factors
        self.burn_in = burn_in
        self.samples = samples
        self.seed = seed

    def needed_bytes(self, n_users: int, n_items: int, n_interactions: int) -> int:
        return 24 * n_interactions + 4 * self.factors * (self.samples + 4) * (n_users + n_items)

    def predict_variance(self, users: npt.ArrayLike, items: npt.ArrayLike) -> Floats:
        """Variance of the rating of each pair: of what is not known about the pair, plus the noise.

        float32[n], of the unclipped rating. Raises as `predict` does.
        """
        self.predict(users, items)
        rows, columns = np.asarray(users, dtype=np.int64), np.asarray(items, dtype=np.int64)
        if len(self._taken) or not len(rows):
            return np.zeros(len(rows), dtype=np.float32)
        return np.asarray(self._moments(rows, columns)[1], dtype=np.float32)

    def predict_interval(
        self, users: npt.ArrayLike, items: npt.ArrayLike, coverage: float = 0.9
    ) -> tuple[Floats, Floats]:
        """Where the rating of each pair lies with probability `coverage`: lower and upper float32[n].

        Within the scale, so an interval at its end covers more. Raises ValueError if coverage is outside
        (0, 1), and as `predict` does.
        """
        if not 0 < coverage < 1:
            raise ValueError(f"coverage must be between 0 and 1, is {coverage}")
        deviations = np.sqrt(self.predict_variance(users, items))
        rows, columns = np.asarray(users, dtype=np.int64), np.asarray(items, dtype=np.int64)
        middle = self._predict(rows, columns)
        reach = NormalDist().inv_cdf(0.5 + coverage / 2) * deviations
        low, high = (np.clip(middle + side * reach, self.lowest, self.highest) for side in (-1, 1))
        return low.astype(np.float32), high.astype(np.float32)

    def _learn_ratings(self, interactions: Interactions, training: Training) -> None:
        ratings = interactions.weights.astype(np.float64)
        self._mean = float(ratings.mean()) if len(ratings) else (self.lowest + self.highest) / 2
        self._unit = float(ratings.std()) if len(ratings) else 1.0
        self._allocate(*interactions.shape)
        targets = ((ratings - self._mean) / self._unit).astype(np.float32)
        by_user = (interactions.indptr, interactions.items, targets)
        turned = replace(interactions, weights=targets).matrix.T.tocsr()
        by_item = (turned.indptr.astype(np.int64), turned.indices.astype(np.int64), turned.data)
        random = np.random.default_rng(self.seed)
        users, items = (
            (START_SPREAD * random.standard_normal((n, self.factors))).astype(np.float32)
            for n in interactions.shape
        )
        alpha, total = 1 / START_NOISE, self.burn_in + self.samples
        for turn in range(total):
            of_items = draw_prior(random, items)
            _draw(random, by_item, users, alpha, of_items, items)
            of_users = draw_prior(random, users)
            squares = _draw(random, by_user, items, alpha, of_users, users)
            alpha = float(random.gamma(1 + len(targets) / 2)) / (1 + squares / 2)
            if turn >= self.burn_in:
                self._keep(turn - self.burn_in, (users, items), (of_users, of_items), alpha)
            training.progress((turn + 1) / (total + 1))
        self._settle(np.diff(interactions.indptr) > 0)

    def _allocate(self, n_users: int, n_items: int) -> None:
        """By user and by item all draws lie together: predicting is one product of long vectors."""
        kept = (self.samples, self.factors)
        self._users = np.empty((n_users, *kept), dtype=np.float32)
        self._items = np.empty((n_items, *kept), dtype=np.float32)
        self._prior_means = np.empty((2, *kept))
        self._prior_precisions = np.empty((2, *kept, self.factors))
        self._precisions = np.empty(self.samples)

    def _keep(
        self,
        place: int,
        vectors: tuple[Floats, Floats],
        priors: tuple[tuple[Doubles, Doubles], tuple[Doubles, Doubles]],
        alpha: float,
    ) -> None:
        self._users[:, place], self._items[:, place] = vectors
        for side, (mean, precision) in enumerate(priors):
            self._prior_means[side, place] = mean
            self._prior_precisions[side, place] = precision
        self._precisions[place] = alpha

    def _settle(self, rated: npt.NDArray[np.bool_]) -> None:
        """Who has no ratings is expected at the mean; what is not known about them is added as variance."""
        self._rated = rated
        self._users[~rated] = self._prior_means[0]
        self._items[~self._seen] = self._prior_means[1]

    def _places(self, users: Ints, items: Ints) -> tuple[Floats, Floats]:
        """The draws of each pair's vectors, float32[n, samples, factors] twice."""
        found = []
        for side, (table, numbers) in enumerate(((self._users, users), (self._items, items))):
            rows = known_rows(table, numbers).astype(np.float32, copy=False)
            rows[(numbers < 0) | (numbers >= len(table))] = self._prior_means[side]
            found.append(rows)
        return found[0], found[1]

    def _predict_ratings(self, users: Ints, items: Ints) -> npt.NDArray[np.floating]:
        left, right = self._places(users, items)
        product = np.einsum("nsf,nsf->n", left, right)
        return np.asarray(self._mean + self._unit / self.samples * product)

    def _moments(self, users: Ints, items: Ints) -> tuple[Doubles, Doubles]:
        """Mean and variance of each rating."""
        left, right = self._places(users, items)
        draws = np.einsum("nsf,nsf->ns", left, right).astype(np.float64)
        variance = draws.var(axis=1) + np.mean(1 / self._precisions)
        spreads = np.linalg.inv(self._prior_precisions)
        new_user = ~known_rows(self._rated, users)
        new_item = ~known_rows(self._seen, items)
        variance[new_user] += _spread_along(right[new_user], spreads[0])
        variance[new_item] += _spread_along(left[new_item], spreads[1])
        variance[new_user & new_item] += np.einsum("sfg,sgf->s", *spreads).mean()
        return self._mean + self._unit * draws.mean(axis=1), self._unit**2 * variance

    def _score_ratings(self, histories: Interactions) -> npt.NDArray[np.floating]:
        used, columns = np.unique(histories.items, return_inverse=True)
        targets = ((histories.weights - self._mean) / self._unit).astype(np.float32)
        part = (histories.indptr, columns.astype(np.int64), targets)
        vectors = np.empty((histories.n_users, self.samples, self.factors), dtype=np.float32)
        found = np.empty((histories.n_users, self.factors), dtype=np.float32)
        for draw, alpha in enumerate(self._precisions):
            prior = (self._prior_means[0, draw], self._prior_precisions[0, draw])
            _draw(None, part, np.ascontiguousarray(self._items[used, draw]), alpha, prior, found)
            vectors[:, draw] = found
        wide = self.samples * self.factors
        products = vectors.reshape(-1, wide) @ self._items.reshape(-1, wide).T
        return np.asarray(self._mean + products * np.float32(self._unit / self.samples))

    def _explain_ratings(self, items: Ints, weights: Doubles, targets: Ints) -> Doubles:
        """Under each draw the expected vector is linear in the ratings; the prior's part is shared evenly."""
        rated = self._items[items].transpose(1, 0, 2).astype(np.float64)
        wanted = self._items[targets].transpose(1, 2, 0).astype(np.float64)
        scaled = self._precisions[:, None, None] * rated
        systems = self._prior_precisions[0] + scaled.transpose(0, 2, 1) @ rated
        solved = np.linalg.solve(systems, wanted)
        gains = self._unit * np.mean(scaled @ solved, axis=0).T
        pulls = np.einsum("sfg,sg->sf", self._prior_precisions[0], self._prior_means[0])
        constant = self._mean + self._unit * np.einsum("sf,sft->t", pulls, solved) / self.samples
        return np.asarray(gains * (weights - self._mean) / self._unit + constant[:, None] / len(items))

    def _learned(self) -> Arrays:
        return {
            "users": self._users,
            "items": self._items,
            "rated": self._rated,
            "prior_means": self._prior_means,
            "prior_precisions": self._prior_precisions,
            "precisions": self._precisions,
            "level": np.array([self._mean, self._unit]),
        }

    def _restore_learned(self, arrays: Arrays) -> None:
        self._users, self._items, self._rated = arrays["users"], arrays["items"], arrays["rated"]
        self._prior_means, self._prior_precisions = arrays["prior_means"], arrays["prior_precisions"]
        self._precisions = arrays["precisions"]
        self._mean, self._unit = arrays["level"].tolist()
        kept = (self.samples, self.factors)
        shapes: list[tuple[npt.NDArray[np.floating], tuple[int, ...]]] = [
            (self._users, (len(self._rated), *kept)),
            (self._items, (self.n_items, *kept)),
            (self._prior_means, (2, *kept)),
            (self._prior_precisions, (2, *kept, self.factors)),
            (self._precisions, (self.samples,)),
        ]
        if any(array.shape != shape for array, shape in shapes):
            raise ValueError("the draws do not fit together")


def _draw(
    random: np.random.Generator | None,
    part: tuple[Ints, Ints, Floats],
    others: Floats,
    alpha: float,
    prior: tuple[Doubles, Doubles],
    vectors: Floats,
) -> float:
    """New `vectors`, in place; without `random` their means. Answers the sum of squared errors."""
    mean, precision = prior
    normals = np.zeros(vectors.shape) if random is None else random.standard_normal(vectors.shape)
    return float(
        draw_rows(
            *part, others, float(alpha), np.ascontiguousarray(precision), precision @ mean, normals, vectors
        )
    )


def _spread_along(vectors: Floats, spreads: Doubles) -> Doubles:
    """vᵀ Σ v of each, the mean over the draws: float64[n]."""
    return np.asarray(np.einsum("nsf,sfg,nsg->n", vectors, spreads, vectors, optimize=True) / len(spreads))
