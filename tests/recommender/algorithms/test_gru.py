import numpy as np
import pytest

from recommender.algorithms import get
from recommender.evaluation import paired_bootstrap
from tests.recommender.algorithms.deep_data import gains, planted_order

pytest.importorskip("torch")


def test_it_beats_popularity_where_there_is_an_order():
    known, targets = planted_order()
    model = get("gru")(dimensions=32, epochs=25, learning_rate=0.01).fit(known)
    popular = get("popular")().fit(known)
    assert paired_bootstrap(gains(model, known, targets), gains(popular, known, targets)).low > 0.2
    alone = model.recommend_for([[5, 7]], 40)[1]
    beside = model.recommend_for([[5, 7], list(range(30))], 40)[1][:1]
    assert np.allclose(alone, beside, atol=1e-5)
