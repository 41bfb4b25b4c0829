"""The order of events, planted, is found by the models that read it and by no other."""

import numpy as np
import pytest

from recommender.algorithms import get
from recommender.evaluation import paired_bootstrap
from tests.recommender.algorithms.deep_data import gains, planted_order

pytest.importorskip("torch")


@pytest.fixture(scope="module")
def data():
    return planted_order()


@pytest.fixture(scope="module")
def model(data):
    return get("sasrec")(dimensions=32, layers=1, epochs=25, learning_rate=0.005).fit(data[0])


@pytest.mark.parametrize("other", ["popular", "item_knn", "ease", "als"])
def test_it_beats_models_that_do_not_read_the_order(other, data, model):
    known, targets = data
    rival = get(other)(**({"factors": 16} if other == "als" else {})).fit(known)
    difference = paired_bootstrap(gains(model, known, targets), gains(rival, known, targets))
    assert difference.low > 0.2


def test_another_order_of_the_same_items_gives_another_list(model):
    first, second = (model.recommend_for([history], 5)[0].tolist() for history in ([1, 2, 3], [3, 2, 1]))
    assert first != second


def test_a_history_scores_the_same_alone_and_beside_longer_ones(model):
    alone = model.recommend_for([[5, 7]], 40)[1]
    beside = model.recommend_for([[5, 7], list(range(30))], 40)[1][:1]
    assert np.allclose(alone, beside, atol=1e-5)


def test_only_the_latest_items_of_a_long_history_are_read(data):
    short = get("sasrec")(dimensions=8, layers=1, epochs=1, length=3).fit(data[0])
    one, other = short.recommend_for([[0, 1, 2, 3], [9, 1, 2, 3]], 40)[1]
    assert np.array_equal(one, other)


def test_heads_must_divide_the_dimensions():
    with pytest.raises(ValueError, match="heads"):
        get("sasrec")(dimensions=10, heads=3)
