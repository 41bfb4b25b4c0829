import numpy as np
import pytest

from recommender.algorithms import get
from recommender.evaluation import (
    Evaluation,
    Judged,
    compare_rankings,
    evaluate,
    paired_bootstrap,
    time_split,
)
from recommender.evaluation.false_promotions import count_false_promotions, made_shop


def judged(name, split, **parameters):
    return evaluate(get(name)(**parameters).fit(split.train), split, resamples=2)


def test_of_equal_recipes_hardly_any_is_promoted():
    """20 pairs of either kind; benchmarks/recommender_aa.py counts 200 of them, for two sizes."""
    assert count_false_promotions("als", {"factors": 4, "iterations": 3}, pairs=20) <= 2
    assert count_false_promotions("bpr", {"factors": 4, "iterations": 10}, pairs=20) <= 2


def test_a_model_that_is_better_is_still_found():
    split = time_split(made_shop(0))
    found = compare_rankings(judged("ease", split), judged("popular", split))
    assert found.is_above_zero


def test_the_interval_is_never_narrower_than_over_users_alone():
    split = time_split(made_shop(1))
    first, second = (judged("bpr", split, factors=4, iterations=10, seed=seed) for seed in (1, 2))
    for metric in ("ndcg", "recall", "map", "mrr", "hit_rate", "precision"):
        wide = compare_rankings(first, second, metric=metric)
        narrow = paired_bootstrap(first.per_user[metric], second.per_user[metric])
        assert wide.difference == pytest.approx(narrow.difference)
        assert wide.low <= narrow.low and wide.high >= narrow.high


def test_one_lucky_item_is_no_skill():
    """A finds one item that everybody took, B finds nothing: sure over users, one draw over items."""
    split = time_split(made_shop(2))
    n, n_items = 200, split.train.n_items
    lists = np.tile(np.arange(20), (n, 1))
    hits = np.zeros((n, 20), bool)
    hits[:, 0] = np.arange(n) < 150
    hits[:, 1] = np.arange(n) % 50 == 0
    sizes = np.full(n, 5)
    assert n_items > 20

    def of(hits):
        one = Judged(lists, hits, sizes, split.train)
        values = hits.sum(axis=1) / sizes
        return Evaluation(20, np.arange(n), {}, {"recall": values}, one)

    a, b = of(hits), of(np.zeros((n, 20), bool))
    assert paired_bootstrap(a.per_user["recall"], b.per_user["recall"]).is_above_zero
    assert not compare_rankings(a, b, metric="recall").is_above_zero


def test_folds_that_were_merged_are_compared_over_users():
    a = Evaluation(5, np.arange(3), {}, {"ndcg": np.array([0.5, 0.6, 0.7])})
    b = Evaluation(5, np.arange(3), {}, {"ndcg": np.array([0.1, 0.2, 0.1])})
    assert compare_rankings(a, b).is_above_zero
