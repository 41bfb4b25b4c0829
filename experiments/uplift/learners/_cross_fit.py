"""Predictions for everybody in a trial, each by a model that has not seen that customer."""

import numpy as np

from experiments.uplift.learners._learner import Learner
from experiments.uplift.responses import Base
from experiments.uplift.table import Floats
from experiments.uplift.trial import Trial, split


def cross_fit(
    learner: type[Learner], trial: Trial, *, folds: int = 5, base: Base = "linear", seed: int = 0
) -> Floats:
    """Uplift per customer, out of fold. Source: Chernozhukov et al. (2018), section 3, for the folds."""
    predicted = np.empty(len(trial))
    for held in split(trial, parts=folds, seed=seed):
        known = np.ones(len(trial), dtype=bool)
        known[held] = False
        model = learner(base=base, seed=seed).fit(trial.rows(known))
        predicted[held] = model.predict(trial.table.rows(held))
    return predicted
