"""From scores to the best k: the kernel against a sort written by hand."""

import numpy as np
import pytest

from recommender.algorithms._ranking import top_k


def by_hand(row, k, allowed=None):
    taken = [
        (-score, at) for at, score in enumerate(row) if score > -np.inf and (allowed is None or allowed[at])
    ]
    return [at for _, at in sorted(taken)[:k]]


@pytest.mark.parametrize("k", [1, 3, 40, 70])
@pytest.mark.parametrize("values", [3, 10_000])
def test_the_best_come_first_and_equal_ones_by_number(k, values):
    random = np.random.default_rng(k)
    scores = random.integers(0, values, size=(60, 65)).astype(np.float32)
    scores[random.random(scores.shape) < 0.3] = -np.inf
    allowed = random.random(65) < 0.7
    for mask in (None, allowed):
        items, best = top_k(scores, k, allowed=mask)
        for row, listed, said in zip(scores, items, best, strict=True):
            wanted = by_hand(row, k, mask)
            assert listed[: len(wanted)].tolist() == wanted
            assert said[: len(wanted)].tolist() == row[wanted].tolist()
            assert (listed[len(wanted) :] == -1).all() and np.isneginf(said[len(wanted) :]).all()


def test_nothing_is_made_of_nothing():
    scores = np.array([[np.nan, -np.inf, np.nan], [np.nan, 1, np.inf]], dtype=np.float32)
    assert top_k(scores, 2)[0].tolist() == [[-1, -1], [2, 1]]
    assert top_k(scores[:, :0], 2)[0].tolist() == [[-1, -1], [-1, -1]]
    assert top_k(scores[:0], 2)[0].shape == (0, 2)
