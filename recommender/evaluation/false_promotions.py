"""A/A: does the rule of promotion stay silent when there is nothing to find? The same recipe twice."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from recommender import algorithms
from recommender.evaluation.paired import compare_rankings
from recommender.evaluation.ranking import evaluate
from recommender.evaluation.splits import Log, time_split


def made_shop(seed: int, *, n_users: int = 300, n_items: int = 120, each: int = 20) -> Log:
    """Popularity falls as a power law; each user takes mostly from one of six topics, at any time."""
    random = np.random.default_rng(seed)
    topics = np.arange(n_items) % 6
    popularity = 1.0 / (1 + np.arange(n_items) // 6)
    users, items = np.repeat(np.arange(n_users), each), []
    for user in range(n_users):
        chances = popularity * np.where(topics == user % 6, 5.0, 1.0)
        items.append(random.choice(n_items, each, replace=False, p=chances / chances.sum()))
    ones = np.ones(len(users), np.float32)
    times = random.permutation(len(users))
    return Log(users, np.concatenate(items), ones, times, (n_users, n_items))


def count_false_promotions(
    name: str,
    parameters: Mapping[str, Any],
    *,
    pairs: int,
    metric: str = "ndcg",
    k: int = 20,
    n_users: int = 300,
    first_seed: int = 0,
) -> int:
    """In how many of `pairs` fresh shops a model would replace itself, fitted with another seed."""
    wrong = 0
    for seed in range(first_seed, first_seed + pairs):
        split = time_split(made_shop(seed, n_users=n_users))
        found = []
        for own_seed in (2 * seed + 1, 2 * seed + 2):
            model = algorithms.get(name)(**{**parameters, "seed": own_seed}).fit(split.train)
            judged = evaluate(model, split, k=k, resamples=2)
            if judged is None:
                raise ValueError("nobody can be judged")
            found.append(judged)
        difference = compare_rankings(*found, metric=metric)
        wrong += difference is not None and difference.is_above_zero
    return wrong
