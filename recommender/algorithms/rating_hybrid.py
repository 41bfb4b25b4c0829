"""Several models of ratings at once: what one gets wrong, another often gets right."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from recommender.algorithms import get
from recommender.algorithms._base import Arrays, Progress, Training, gettext_noop
from recommender.algorithms._interactions import Floats, Interactions, Ints
from recommender.algorithms._ratings import RatingRecommender

Doubles = npt.NDArray[np.float64]
PARTS: dict[str, dict[str, Any]] = {
    "bpmf": {},
    "svdpp": {},
    "item_knn": {"similarity": "pearson_baseline"},
}
HELD_SHARE = 0.15
# With fewer held out ratings the weights would be noise: then all parts weigh the same.
FEWEST_HELD = 50
# Strength of the pull to equal weights, in held out ratings.
RIDGE = 3.0


class RatingHybrid(RatingRecommender):
    """μ + Σ weight × (rating expected by the part − μ).

    The weights are a ridge regression on 15 % of the training data, which the parts did not see for it;
    then the parts learn from all of it. `parts`: parameters by the name of a model of ratings; None for
    Bayesian PMF, SVD++ and item neighbors. Takes about twice as long as its parts together.
    Source: stacked regression, Breiman (1996); for ratings Jahrer, Töscher and Legenstein (2010).
    """

    name = "rating_hybrid"
    title = gettext_noop("Blend of rating models")
    instead = "svd"

    def __init__(self, *, parts: Mapping[str, Mapping[str, Any]] | None = None, seed: int = 0) -> None:
        chosen = PARTS if parts is None else parts
        # In alphabetical order, whatever a file or a form makes of theirs: weights go by it.
        self.parts = {name: dict(chosen[name]) for name in sorted(chosen)}
        self.seed = seed
        if not self.parts or self.name in self.parts:
            raise ValueError("parts must name at least one other model of ratings")
        for name, part in zip(self.parts, self._new_parts(), strict=True):
            if not (isinstance(part, RatingRecommender) and part.is_explicit):
                raise ValueError(f"{name} with these parameters is no model of ratings")

    def needed_bytes(self, n_users: int, n_items: int, n_interactions: int) -> int:
        return sum(part.needed_bytes(n_users, n_items, n_interactions) for part in self._new_parts())

    def _new_parts(self) -> list[RatingRecommender]:
        made: list[Any] = []
        for name, parameters in self.parts.items():
            seeded = {"seed": self.seed} if "seed" in get(name)().parameters else {}
            made.append(get(name)(**{**seeded, **parameters}))
        return made

    def _learn(self, interactions: Interactions, training: Training) -> None:
        self._note_scale(interactions)
        ratings = interactions.weights.astype(np.float64)
        equal = self.lowest == self.highest or not len(ratings)
        # Where all ratings are equal the parts do not expect ratings but weigh evidence: there is no mean.
        self._level = 0.0 if equal else float(ratings.mean())
        held = np.random.default_rng(self.seed).random(len(ratings)) < HELD_SHARE
        steps = self._steps(training, runs=1 if equal else 2)
        self._weights = np.full(len(self.parts), 1 / len(self.parts))
        if not equal and held.sum() >= FEWEST_HELD:
            self._weights = self._stacked(interactions, held, steps)
        self._fitted = [
            part.fit(interactions, features=training.features, progress=next(steps))
            for part in self._new_parts()
        ]
        training.progress(1.0)

    def _steps(self, training: Training, runs: int) -> Iterator[Progress]:
        """For each fit to come, what hears its progress as a share of all."""
        total = runs * len(self.parts) + 1

        def heard(done: int) -> Progress:
            return lambda share: training.progress((done + share) / total)

        return (heard(done) for done in range(total))

    def _stacked(
        self, interactions: Interactions, held: npt.NDArray[np.bool_], steps: Iterator[Progress]
    ) -> Doubles:
        rows = np.repeat(np.arange(interactions.n_users), np.diff(interactions.indptr))
        indptr = np.concatenate([[0], np.cumsum(~held)])[interactions.indptr].astype(np.int64)
        rest = replace(interactions._taken(np.flatnonzero(~held), indptr), events=interactions.events)
        users, items = rows[held], interactions.items[held]
        expected = np.column_stack(
            [part.fit(rest, progress=next(steps)).predict(users, items) for part in self._new_parts()]
        )
        off = expected.astype(np.float64) - self._level
        truth = interactions.weights[held].astype(np.float64) - self._level
        pull = RIDGE * max(float(truth.var()), 1e-12)
        n = len(self.parts)
        weights = np.linalg.solve(off.T @ off + pull * np.eye(n), off.T @ truth + pull / n)
        return np.asarray(weights, dtype=np.float64)

    def _predict(self, users: Ints, items: Ints) -> npt.NDArray[np.floating]:
        found = np.full(len(users), self._level)
        for weight, part in zip(self._weights, self._fitted, strict=True):
            part._histories = self._trained()
            found += weight * (part.predict(users, items).astype(np.float64) - self._level)
        return found

    def _score(self, histories: Interactions) -> Floats:
        found = np.full((histories.n_users, self.n_items), self._level)
        known = np.zeros(found.shape, dtype=bool)
        for weight, part in zip(self._weights, self._fitted, strict=True):
            scores = part._score(histories)
            says = np.isfinite(scores)
            found += weight * np.where(says, scores.astype(np.float64) - self._level, 0.0)
            known |= says
        found[~known] = -np.inf
        return found.astype(np.float32)

    def _contributions(self, items: Ints, weights: Doubles, targets: Ints) -> Doubles:
        """Those of the parts, weighted; none if a part has none."""
        history = Interactions(np.array([0, len(items)]), items, weights.astype(np.float32), self.n_items)
        found = np.full((len(targets), len(items)), self._level / len(items))
        for weight, part in zip(self._weights, self._fitted, strict=True):
            shares = part._contributions(items, weights, targets)
            if shares.shape != found.shape:
                return np.zeros((len(targets), 0))
            says = np.isfinite(part._score(history)[0, targets])
            found[says] += weight * (shares[says] - self._level / len(items))
        return found

    def _facts(self) -> dict[str, Any]:
        return {**super()._facts(), "parts": [part._facts() for part in self._fitted]}

    def _restore_facts(self, facts: dict[str, Any]) -> None:
        super()._restore_facts(facts)
        for part, own in zip(self._fitted, facts["parts"], strict=True):
            part._restore_facts(own)

    def _arrays(self) -> Arrays:
        own = {"weights": self._weights, "level": np.array(self._level)}
        for name, part in zip(self.parts, self._fitted, strict=True):
            own |= {f"{name}.{key}": array for key, array in part._arrays().items()}
        return own

    def _restore(self, arrays: Arrays) -> None:
        self._weights, self._level = arrays["weights"], float(arrays["level"])
        if self._weights.shape != (len(self.parts),):
            raise ValueError(f"there are {self._weights.shape} weights for {len(self.parts)} parts")
        self._fitted = self._new_parts()
        for name, part in zip(self.parts, self._fitted, strict=True):
            part.item_weights = self.item_weights
            start = f"{name}."
            part._restore(
                {key.removeprefix(start): array for key, array in arrays.items() if key.startswith(start)}
            )
