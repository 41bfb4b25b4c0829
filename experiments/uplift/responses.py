"""The models inside the learners: scikit-learn's, asked for the expected outcome."""

from typing import Any, Literal

import numpy as np

from experiments.uplift.table import Floats

Base = Literal["linear", "boosted"]
# Depth and leaves of trees for a faint signal: what single customers did must not be learned by heart.
BOOSTED = {"max_depth": 3, "learning_rate": 0.05, "max_iter": 100, "min_samples_leaf": 200}


class Response:
    """E[outcome | features]: a chance for outcomes of 0 and 1, an amount for others."""

    def __init__(self, features: Floats, outcome: Floats, *, base: Base, seed: int, amount: bool = False):
        """`amount` asks for least squares although the outcomes may be 0 and 1."""
        self._constant: float | None = None
        if len(np.unique(outcome)) < 2:  # nothing to learn: nobody, or everybody, did it
            self._constant = float(outcome.mean())
            return
        self._is_chance = not amount and bool(np.isin(outcome, (0, 1)).all())
        self._model = _model(base, is_chance=self._is_chance, seed=seed, n=len(outcome))
        self._model.fit(features, outcome)

    def __call__(self, features: Floats) -> Floats:
        if self._constant is not None:
            return np.full(len(features), self._constant)
        if self._is_chance:
            return np.asarray(self._model.predict_proba(features)[:, 1], dtype=np.float64)
        return np.asarray(self._model.predict(features), dtype=np.float64)


def _model(base: Base, *, is_chance: bool, seed: int, n: int) -> Any:
    if base == "boosted":
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

        options: dict[str, Any] = BOOSTED | {"min_samples_leaf": min(200, max(1, n // 20))}
        kind = HistGradientBoostingClassifier if is_chance else HistGradientBoostingRegressor
        return kind(random_state=seed, **options)
    if base == "linear":
        from sklearn.linear_model import LogisticRegression, Ridge

        return LogisticRegression(max_iter=1000) if is_chance else Ridge()
    raise ValueError(f"unknown base model: {base}")
