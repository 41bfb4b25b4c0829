"""Is one model better than another? A paired interval over users that does not mistake luck for skill."""

import numpy as np
from scipy import sparse

from recommender.evaluation.bootstrap import PairedDifference, Values, paired_bootstrap
from recommender.evaluation.metrics import BY_PLACE, Judged
from recommender.evaluation.ranking import Evaluation


def compare_rankings(
    a: Evaluation, b: Evaluation, *, metric: str = "ndcg", confidence: float = 0.95, seed: int = 0
) -> PairedDifference | None:
    """Mean of a − b over the same users with its interval; None without users.

    The paired bootstrap over users, widened by what users have in common. Two fits of one recipe with other
    seeds differ, for all users alike, in which items they favor; resampling users alone takes that luck for
    skill, the more surely the more users there are. So the interval is stretched by the ratio of the two-way
    clustered standard error (users and items) to that of users alone. Source: Cameron, Gelbach and Miller
    (2011), Robust Inference with Multiway Clustering, equation 2.5, but without subtracting the intersection:
    with it 5.5 % of equal ALS models passed, without it 2 % (benchmarks/recommender_aa.py).
    """
    found = paired_bootstrap(a.per_user[metric], b.per_user[metric], confidence=confidence, seed=seed)
    if found is None or found.low is None or found.high is None:
        return found
    if a.judged is None or b.judged is None or metric not in BY_PLACE:
        return found
    stretch = _stretch(a.judged, b.judged, metric)
    low = found.difference - (found.difference - found.low) * stretch
    high = found.difference + (found.high - found.difference) * stretch
    return PairedDifference(found.difference, low, high, found.n_users)


def _stretch(a: Judged, b: Judged, metric: str) -> float:
    shares = (_by_item(a, metric) - _by_item(b, metric)).tocsc()
    n_users = shares.shape[0]
    of_users = np.asarray(shares.sum(axis=1)).ravel()
    of_items = np.asarray(shares.sum(axis=0)).ravel()[np.diff(shares.indptr) > 0]
    by_users = _squares(of_users)
    if by_users == 0 or len(of_items) < 2 or n_users < 2:
        return 1.0
    by_items = _squares(of_items) * len(of_items) / (len(of_items) - 1)
    return float(np.sqrt((by_users + by_items) / by_users))


def _squares(values: Values) -> float:
    return float(((values - values.mean()) ** 2).sum())


def _by_item(judged: Judged, metric: str) -> sparse.csr_matrix:
    """What each item adds to each user's value, float64[users, items]."""
    shares = BY_PLACE[metric](judged)
    rows, places = np.nonzero(judged.hits)
    shape = (len(judged.lists), judged.train.n_items)
    return sparse.csr_matrix((shares[rows, places], (rows, judged.lists[rows, places])), shape=shape)
