"""What knowing the context is worth: every test event is judged in its own context."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from recommender.algorithms import Interactions, Recommender
from recommender.evaluation.bootstrap import (
    Estimate,
    PairedDifference,
    Values,
    mean_interval,
    paired_bootstrap,
)
from recommender.evaluation.metrics import Judged, ndcg
from recommender.evaluation.ranking import hit_matrix, judged_users
from recommender.evaluation.splits import Split

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Cases:
    """What each user took in each context: `wanted` has one row per case, `users` and `context` say whose
    and in which.
    """

    users: Ints
    context: dict[str, npt.NDArray[np.generic]]
    wanted: Interactions


@dataclass(frozen=True)
class ContextGain:
    """NDCG@k, the mean over a user's cases and then over users; `gain` is with less without."""

    with_context: Estimate
    without: Estimate
    gain: PairedDifference
    n_cases: int


def cases_of(split: Split, columns: Sequence[str], *, seed: int = 0) -> Cases:
    """The test events of the judged users, by user and context; with `new_only`, of new items alone.

    Raises ValueError where the events lack a column.
    """
    log = split.test_log
    missing = [name for name in columns if log is None or name not in log.context]
    if log is None or missing or not columns:
        raise ValueError(f"the test events lack the context columns {missing}")
    users = judged_users(split, seed=seed)
    width = max(split.test.n_items, 1)
    rows = np.repeat(np.arange(split.test.n_users), np.diff(split.test.indptr))
    to_find = rows * width + split.test.items
    kept = np.isin(log.users, users) & np.isin(log.users * width + log.items, to_find)
    codes, values = log.users[kept], []
    for name in columns:
        found, numbers = np.unique(log.context[name][kept], return_inverse=True)
        codes = codes * max(len(found), 1) + numbers
        values.append(log.context[name][kept])
    _, first, case = np.unique(codes, return_index=True, return_inverse=True)
    wanted = Interactions.from_arrays(
        users=case, items=log.items[kept], shape=(len(first), split.test.n_items)
    )
    context = {name: column[first] for name, column in zip(columns, values, strict=True)}
    return Cases(log.users[kept][first], context, wanted)


def judge_in_context(
    model: Recommender, split: Split, cases: Cases, *, k: int = 20, with_context: bool = True
) -> Values:
    """NDCG@k of each user who has cases, by user number: the mean over the cases."""
    histories = split.input_for(is_explicit=model.is_explicit).rows(cases.users)
    exclude = replace(split.train, events={}).rows(cases.users) if split.new_only else None
    context = cases.context if with_context else None
    lists, _ = model.recommend_for(histories, k, exclude=exclude, context=context)
    sizes = np.diff(cases.wanted.indptr)
    values = ndcg(Judged(lists, hit_matrix(lists, cases.wanted), sizes, split.train))
    _, of_user = np.unique(cases.users, return_inverse=True)
    return np.asarray(np.bincount(of_user, weights=values) / np.bincount(of_user))


def context_gain(
    aware: Recommender,
    plain: Recommender,
    split: Split,
    columns: Sequence[str],
    *,
    k: int = 20,
    seed: int = 0,
) -> ContextGain | None:
    """Both fitted on `split.input_for(…)`; `aware` is told the context, `plain` is not.

    None without users.
    """
    cases = cases_of(split, columns, seed=seed)
    found = judge_in_context(aware, split, cases, k=k)
    other = judge_in_context(plain, split, cases, k=k, with_context=False)
    gain = paired_bootstrap(found, other, seed=seed)
    first, second = mean_interval(found, seed=seed), mean_interval(other, seed=seed)
    if gain is None or first is None or second is None:
        return None
    return ContextGain(first, second, gain, len(cases.users))
