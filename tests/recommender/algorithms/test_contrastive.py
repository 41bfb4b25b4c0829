import pytest

from recommender.algorithms import get
from recommender.evaluation import paired_bootstrap
from tests.recommender.algorithms.deep_data import gains, tastes

pytest.importorskip("torch")


def test_it_beats_popularity_where_tastes_differ():
    known, targets = tastes()
    model = get("contrastive")(dimensions=16, epochs=60).fit(known)
    popular = get("popular")().fit(known)
    assert paired_bootstrap(gains(model, known, targets), gains(popular, known, targets)).low > 0.05


def test_the_order_of_a_history_does_not_matter():
    model = get("contrastive")(dimensions=8, epochs=1).fit(tastes()[0])
    one, other = model.recommend_for([[1, 2, 3], [3, 2, 1]], 20)[0]
    assert one.tolist() == other.tolist()
