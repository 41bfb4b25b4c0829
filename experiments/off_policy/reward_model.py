"""A model of the reward of every action, fitted without the decisions it is asked about."""

import numpy as np
from threadpoolctl import threadpool_limits

from experiments.off_policy.log import Floats, Log
from experiments.uplift.responses import Base, Response


def cross_fitted_rewards(
    log: Log,
    actions: int,
    *,
    contexts: Floats | None = None,
    folds: int = 3,
    base: Base = "linear",
    seed: int = 0,
) -> Floats:
    """q(x, a): decisions × actions. `contexts` (decisions × columns) are what was known before deciding.

    Source: Chernozhukov et al. (2018) for the folds. Raises ValueError for fewer decisions than folds.
    """
    if not 2 <= folds <= len(log):
        raise ValueError("2 folds or more, and a decision for each, are needed")
    known = np.empty((len(log), 0)) if contexts is None else contexts
    one_hot = np.eye(actions)
    predicted = np.empty((len(log), actions))
    for held in np.array_split(np.random.default_rng(seed).permutation(len(log)), folds):
        kept = np.setdiff1d(np.arange(len(log)), held)
        features = np.hstack([known[kept], one_hot[log.actions[kept]]])
        # On a busy machine threads cost more than they give.
        with threadpool_limits(limits=1):
            model = Response(features, log.rewards[kept], base=base, seed=seed)
            for action in range(actions):
                asked = np.hstack([known[held], np.repeat(one_hot[[action]], len(held), axis=0)])
                predicted[held, action] = model(asked)
    return predicted
