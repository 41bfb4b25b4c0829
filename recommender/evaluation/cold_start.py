"""Does a model find the right people for items that nobody took yet? Some items are hidden from its
training altogether, and then it has to rank just them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recommender.algorithms import Recommender
from recommender.evaluation.bootstrap import PairedDifference, paired_bootstrap
from recommender.evaluation.ranking import Evaluation, evaluate_lists, judged_users
from recommender.evaluation.splits import Log, Split, held_split

Ints = npt.NDArray[np.int64]
# What every content model is held against; neither knows anything about a new item.
POPULAR, RANDOM = "popular", "random"
# Not a rival but a ceiling for a list that is the same for everyone: it has seen what it is judged by.
HINDSIGHT = "popular in hindsight"


@dataclass(frozen=True)
class ColdStart:
    """`split.test` holds all that was done with the withheld `items`, `split.train` everything else."""

    split: Split
    items: Ints


@dataclass(frozen=True)
class ColdStartReport:
    """`evaluations` by name of the model or baseline; `differences[name][baseline]` over the same users."""

    n_items: int
    evaluations: Mapping[str, Evaluation]
    differences: Mapping[str, Mapping[str, PairedDifference]]


def cold_start_split(log: Log, *, item_share: float = 0.2, seed: int = 0) -> ColdStart:
    """Withholds a random share of the items that were ever taken (at least one), with all their events.

    A user counts who has something left in training and took something withheld.
    """
    if not 0 < item_share < 1:
        raise ValueError(f"the share of withheld items lies between 0 and 1, is {item_share}")
    taken = np.unique(log.items)
    size = min(max(1, round(len(taken) * item_share)), len(taken))
    items = np.sort(np.random.default_rng(seed).choice(taken, size, replace=False)) if len(taken) else taken
    split = held_split("cold-start", log, np.isin(log.items, items), new_only=False)
    return ColdStart(split, items)


def evaluate_cold(model: Recommender, cold: ColdStart, *, k: int = 20, seed: int = 0) -> Evaluation | None:
    """Judges a model fitted on `cold.split`; only withheld items can be listed. None when nobody counts."""
    users = judged_users(cold.split, seed=seed)
    if not len(users):
        return None
    histories = cold.split.input_for(is_explicit=model.is_explicit).rows(users)
    lists, _ = model.recommend_for(histories, k, allowed=cold.items)
    return _judge(lists, cold, users, seed)


def compare_cold(
    models: Mapping[str, Recommender], cold: ColdStart, *, k: int = 20, metric: str = "ndcg", seed: int = 0
) -> ColdStartReport | None:
    """Judges fitted models beside the baselines: popular, random order, popular in hindsight.

    None when nobody counts.
    """
    users = judged_users(cold.split, seed=seed)
    if not len(users):
        return None
    lists = {
        POPULAR: np.full((len(users), k), -1),  # nobody took them, so none of them is popular
        RANDOM: _random_lists(cold, len(users), k, seed),
        HINDSIGHT: _hindsight_lists(cold, len(users), k),
    }
    evaluations = {name: _judge(found, cold, users, seed) for name, found in lists.items()}
    differences = {}
    for name, model in models.items():
        found = evaluate_cold(model, cold, k=k, seed=seed)
        if found is not None:
            differences[name] = _differences(found, evaluations, lists, metric, seed)
            evaluations[name] = found
    return ColdStartReport(len(cold.items), evaluations, differences)


def _differences(
    found: Evaluation,
    evaluations: Mapping[str, Evaluation],
    names: Mapping[str, Ints],
    metric: str,
    seed: int,
) -> dict[str, PairedDifference]:
    differences = {}
    for name in names:
        own, other = found.per_user[metric], evaluations[name].per_user[metric]
        difference = paired_bootstrap(own, other, seed=seed)
        if difference is not None:
            differences[name] = difference
    return differences


def _judge(lists: Ints, cold: ColdStart, users: Ints, seed: int) -> Evaluation:
    return evaluate_lists(lists, cold.split, users=users, seed=seed)


def _random_lists(cold: ColdStart, n: int, k: int, seed: int) -> Ints:
    random = np.random.default_rng(seed)
    return np.stack([_padded(random.permutation(cold.items), k) for _ in range(n)])


def _hindsight_lists(cold: ColdStart, n: int, k: int) -> Ints:
    counted = np.bincount(cold.split.test.items, minlength=cold.split.test.n_items)[cold.items]
    best = cold.items[np.argsort(-counted, kind="stable")]
    return np.tile(_padded(best, k), (n, 1))


def _padded(items: Ints, k: int) -> Ints:
    return np.append(items[:k], np.full(max(0, k - len(items)), -1))
