"""User neighbors, of amounts and of ratings."""

import numpy as np
import pytest

from recommender.algorithms import Interactions, get, load
from tests.recommender.algorithms.surprise_peer import predictions_of, trainset_of, unrated_pairs

OF_RATINGS = [
    (similarity, centering)
    for similarity in ("cosine", "pearson", "msd")
    for centering in ("none", "mean", "baseline")
    if (similarity, centering) != ("cosine", "none")
]


@pytest.fixture
def ratings():
    random = np.random.default_rng(6)
    pairs = random.permutation(20 * 30)[:330]
    users, items = np.divmod(pairs, 30)
    liked = np.where(users % 2 == items % 2, 4, 2) + random.integers(-1, 2, 330)
    return Interactions.from_arrays(users=users, items=items, weights=liked, shape=(20, 30))


def test_the_score_of_amounts_is_the_sum_over_the_most_similar_users():
    random = np.random.default_rng(1)
    data = Interactions.from_arrays(
        users=random.integers(0, 50, 700),
        items=random.integers(0, 25, 700),
        weights=random.uniform(0.5, 2, 700),
        shape=(50, 25),
    )
    x = data.matrix.toarray().astype(np.float64)
    norms = np.linalg.norm(x, axis=1)
    similar = x @ x.T / (norms[:, None] * norms + 7.0)
    cut = np.sort(similar, axis=1)[:, -10:-9]
    expected = np.where(similar >= cut, similar, 0) @ x
    items, scores = get("user_knn")(neighbors=10, shrinkage=7.0).fit(data).recommend(np.arange(50), 5)
    assert np.allclose(scores, np.take_along_axis(expected, items, axis=1), rtol=1e-5)


def test_a_history_is_compared_without_a_refit():
    data = Interactions.from_arrays(users=[0, 0, 1, 1, 1], items=[0, 1, 1, 2, 3])
    items, scores = get("user_knn")().fit(data).recommend_for([[2]], 3, exclude=[[2]])
    # Only user 1 has item 2: similarity 1 / (1 × √3) is the score of each of their items.
    assert items.tolist() == [[1, 3, -1]] and scores[0, :2] == pytest.approx([3**-0.5] * 2)


def test_a_rating_by_hand():
    """Users 0 and 1 move together over items 0 to 2 (Pearson 1): 2's deviation counts only where alike.

    User 1's mean is 3.25, item 3 got 5: user 0's mean 3 plus 1.75.
    """
    data = Interactions.from_arrays(
        users=[0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2],
        items=[0, 1, 2, 0, 1, 2, 3, 0, 1, 2, 3],
        weights=[2, 3, 4, 1, 3, 4, 5, 4, 3, 2, 1],
    )
    model = get("user_knn")(similarity="pearson", centering="mean", shrinkage=0).fit(data)
    assert model.predict([0], [3]) == pytest.approx([3 + 5 - 3.25])


@pytest.mark.parametrize(
    ("similarity", "centering"), [("pearson", "mean"), ("msd", "mean"), ("msd", "baseline")]
)
def test_it_equals_surprise(ratings, similarity, centering):
    surprise = pytest.importorskip("surprise")
    kind = {"mean": surprise.KNNWithMeans, "baseline": surprise.KNNBaseline}[centering]
    theirs = kind(k=30, verbose=False, sim_options={"name": similarity, "user_based": True})
    theirs.fit(trainset_of(surprise, ratings))
    ours = get("user_knn")(similarity=similarity, centering=centering, shrinkage=0).fit(ratings)
    users, items = unrated_pairs(ratings)
    assert np.allclose(ours.predict(users, items), predictions_of(theirs, users, items), atol=1e-5)


def test_a_shrunken_cosine_of_deviations_is_their_pearson_baseline(ratings):
    surprise = pytest.importorskip("surprise")
    options = {"name": "pearson_baseline", "user_based": True, "shrinkage": 30}
    theirs = surprise.KNNBaseline(k=5, verbose=False, sim_options=options)
    theirs.fit(trainset_of(surprise, ratings))
    ours = get("user_knn")(similarity="cosine", centering="baseline", neighbors=5).fit(ratings)
    users, items = unrated_pairs(ratings)
    assert np.allclose(ours.predict(users, items), predictions_of(theirs, users, items), atol=1e-5)


@pytest.mark.parametrize(("similarity", "centering"), OF_RATINGS)
def test_shares_of_a_rating_add_up_to_it(ratings, similarity, centering):
    model = get("user_knn")(similarity=similarity, centering=centering, neighbors=4).fit(ratings)
    items, scores = model.recommend(np.arange(5), 3)
    assert (items >= 0).any()
    for user in range(5):
        for item, score in zip(items[user], scores[user], strict=True):
            reasons = model.explain(user, int(item), 100) if item >= 0 else []
            assert item < 0 or sum(share for _, share in reasons) == pytest.approx(score, abs=1e-4)


@pytest.mark.parametrize(("similarity", "centering"), OF_RATINGS)
def test_a_model_of_ratings_survives_saving(ratings, similarity, centering, tmp_path):
    model = get("user_knn")(similarity=similarity, centering=centering).fit(ratings)
    model.save(tmp_path / "model.npz")
    again = load(tmp_path / "model.npz")
    users, items = [0, 1, 99, 0], [1, 2, 3, 99]
    assert np.array_equal(model.predict(users, items), again.predict(users, items))
    assert np.isfinite(model.predict(users, items)).all()


def test_amounts_are_not_predicted_and_unknown_names_refused(ratings):
    with pytest.raises(ValueError, match="predicts no ratings"):
        get("user_knn")().fit(ratings).predict([0], [0])
    for wrong in ({"similarity": "x"}, {"centering": "x"}, {"neighbors": 0}, {"shrinkage": -1}):
        with pytest.raises(ValueError):
            get("user_knn")(**wrong)
