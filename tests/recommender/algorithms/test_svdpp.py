import numpy as np
import pytest

from recommender.algorithms import Interactions, get
from recommender.algorithms._sgd_kernels import svdpp_epoch


def step_by_step(indptr, items, targets, biases, p, q, y, rate, bias_strength, strength):
    """Koren (2008), section 4.1, as it is written: every y_j moves at every rating."""
    for user in range(len(indptr) - 1):
        taken = items[indptr[user] : indptr[user + 1]]
        root = 1 / np.sqrt(max(len(taken), 1))
        for at in range(indptr[user], indptr[user + 1]):
            item = items[at]
            whole = p[user] + root * y[taken].sum(axis=0)
            error = targets[at] - biases[0][user] - biases[1][item] - whole @ q[item]
            biases[0][user] += rate * (error - bias_strength * biases[0][user])
            biases[1][item] += rate * (error - bias_strength * biases[1][item])
            before = q[item].copy()
            q[item] += rate * (error * whole - strength * before)
            p[user] += rate * (error * before - strength * p[user])
            y[taken] += rate * (error * root * before - strength * y[taken])


def test_gathered_steps_are_the_same_as_one_after_the_other():
    random = np.random.default_rng(2)
    taken = np.sort(random.permutation(12 * 9)[:60])
    users, items = np.divmod(taken, 9)
    indptr, targets = np.searchsorted(users, np.arange(13)), random.normal(size=60)
    slow = [random.normal(0, 0.3, (n, 4)) for n in (12, 9, 9)]
    fast = [array.astype(np.float32) for array in slow]
    slow_biases, fast_biases = [(np.zeros(12, kind), np.zeros(9, kind)) for kind in (np.float64, np.float32)]
    for _ in range(5):
        step_by_step(indptr, items, targets, slow_biases, *slow, 0.05, 0.02, 0.1)
        svdpp_epoch(
            indptr, items, targets.astype(np.float32), fast_biases, *fast, np.float32(0.05),
            (np.float32(0.02), np.float32(0.1)),
        )  # fmt: skip
    for expected, found in zip([*slow, *slow_biases], [*fast, *fast_biases], strict=True):
        assert found == pytest.approx(expected, abs=1e-5)


def test_what_somebody_rated_at_all_tells_them_apart():
    """Who rated items of the first half loves item 20, others do not; the ratings themselves are noise."""
    random = np.random.default_rng(0)
    users, items, ratings = [], [], []
    for user in range(200):
        half = user % 2
        users += [user] * 6
        items += [*(random.permutation(10)[:5] + 10 * half).tolist(), 20]
        ratings += [*random.integers(2, 5, 5).tolist(), 1 if half else 5]
    known = np.array([user < 160 or item < 20 for user, item in zip(users, items, strict=True)])
    data = Interactions.from_arrays(
        users=np.array(users)[known], items=np.array(items)[known], weights=np.array(ratings)[known]
    )
    for name, told in (("svdpp", True), ("svd", False)):
        found = get(name)(factors=8, epochs=60).fit(data).predict(np.arange(160, 200), np.full(40, 20))
        assert (found[::2].mean() - found[1::2].mean() > 2) == told
