"""Item neighbors, of amounts and of ratings; the amounts' formula is pinned in test_algorithms."""

import numpy as np
import pytest

from recommender.algorithms import Interactions, NotEnoughMemoryError, get, load
from tests.recommender.algorithms.surprise_peer import predictions_of, trainset_of, unrated_pairs

OF_RATINGS = ["adjusted_cosine", "pearson", "pearson_baseline"]


@pytest.fixture
def ratings():
    random = np.random.default_rng(4)
    pairs = random.permutation(40 * 15)[:330]
    users, items = np.divmod(pairs, 15)
    liked = np.where(users % 2 == items % 2, 4, 2) + random.integers(-1, 2, 330)
    return Interactions.from_arrays(users=users, items=items, weights=liked, shape=(40, 15))


def test_the_similarity_of_ratings_by_hand():
    """User 0 rated 5, 4, 3 and user 1 rated 1, 3, 2: means 4 and 2."""
    data = Interactions.from_arrays(
        users=[0, 0, 0, 1, 1, 1], items=[0, 1, 2, 0, 1, 2], weights=[5, 4, 3, 1, 3, 2]
    )
    model = get("item_knn")(similarity="adjusted_cosine", shrinkage=3.0).fit(data)
    # Off the users' means the items are (1, −1), (0, 1), (−1, 0): no two point the same way.
    assert model._similar.matrix.nnz == 0
    model = get("item_knn")(similarity="pearson", shrinkage=3.0).fit(data)
    # Around the items' own means: (2, −2), (.5, −.5), (.5, −.5). All correlate by 1, times 1 / (1 + 3).
    assert np.allclose(model._similar.matrix.toarray(), 0.25 * (1 - np.eye(3)))


def test_a_rating_by_hand():
    """The baseline plus the mean deviation of the two items of the history, weighted 1 to 1."""
    data = Interactions.from_arrays(
        users=[0, 0, 0, 1, 1, 1, 2, 2], items=[0, 1, 2, 0, 1, 2, 0, 1], weights=[5, 4, 3, 1, 3, 2, 4, 5]
    )
    model = get("item_knn")(similarity="pearson", shrinkage=0).fit(data)
    base = model._baseline
    similar = model._similar.matrix.toarray()[:, 2]
    said = [4 - base.rate(np.array([2]), np.array([0]))[0], 5 - base.rate(np.array([2]), np.array([1]))[0]]
    expected = base.rate(np.array([2]), np.array([2]))[0] + np.dot(similar[:2], said) / similar[:2].sum()
    assert model.predict([2], [2]) == pytest.approx([expected])


@pytest.mark.parametrize("neighbors", [4, 100])
def test_it_equals_surprise(ratings, neighbors):
    surprise = pytest.importorskip("surprise")
    theirs = surprise.KNNBaseline(
        k=neighbors, verbose=False,
        sim_options={"name": "pearson_baseline", "user_based": False, "shrinkage": 100},
    )  # fmt: skip
    theirs.fit(trainset_of(surprise, ratings))
    ours = get("item_knn")(similarity="pearson_baseline", neighbors=neighbors).fit(ratings)
    users, items = unrated_pairs(ratings)
    assert np.allclose(ours.predict(users, items), predictions_of(theirs, users, items), atol=1e-5)
    similar = ours._similar.matrix.toarray()
    assert np.allclose(similar, np.maximum(theirs.sim, 0) * (1 - np.eye(15)), atol=1e-6)


@pytest.mark.parametrize("similarity", OF_RATINGS)
def test_shares_of_a_rating_add_up_to_it(ratings, similarity):
    model = get("item_knn")(similarity=similarity, neighbors=3).fit(ratings)
    items, scores = model.recommend(np.arange(5), 3)
    assert (items >= 0).any()
    for user in range(5):
        for item, score in zip(items[user], scores[user], strict=True):
            reasons = model.explain(user, int(item), 100) if item >= 0 else []
            assert sum(share for _, share in reasons) == pytest.approx(score, abs=1e-4) or item < 0
            assert sum(share != 0 for _, share in reasons) <= 3


@pytest.mark.parametrize("similarity", OF_RATINGS)
def test_a_model_of_ratings_survives_saving(ratings, similarity, tmp_path):
    model = get("item_knn")(similarity=similarity).fit(ratings)
    model.save(tmp_path / "model.npz")
    again = load(tmp_path / "model.npz")
    assert again.is_explicit and np.array_equal(
        model.predict([0, 50], [1, 1]), again.predict([0, 50], [1, 1])
    )
    assert np.array_equal(model.recommend([3], 5)[0], again.recommend([3], 5)[0])


def test_amounts_are_not_predicted(ratings):
    assert not get("item_knn")().is_explicit
    with pytest.raises(ValueError, match="predicts no ratings"):
        get("item_knn")().fit(ratings).predict([0], [0])


def test_unknown_names_and_sizes_are_refused(ratings):
    with pytest.raises(ValueError, match="adjusted_cosine"):
        get("item_knn")(similarity="astrology")
    with pytest.raises(ValueError, match="at least 1"):
        get("item_knn")(similarity="pearson", kept=0)
    many = Interactions.from_arrays(users=[0], items=[0], shape=(1, 100_000))
    with pytest.raises(NotEnoughMemoryError, match="100,000 items"):
        get("item_knn")(memory_limit_mib=100).fit(many)


def test_equally_similar_items_are_kept_by_number():
    """Five items that the same two users have; two neighbors are kept of each."""
    board = Interactions.from_arrays(users=np.repeat([0, 1], 5), items=np.tile(np.arange(5), 2))
    model = get("item_knn")(neighbors=2).fit(board)
    kept = model._similar.turned()
    assert kept.numbers.reshape(5, 2).tolist() == [[1, 2], [0, 2], [0, 1], [0, 1], [0, 1]]


def test_the_memory_it_foretells_grows_with_the_interactions():
    """28 bytes each, found by measuring: 101 MiB beyond the similarities at 4.0 million interactions."""
    model = get("item_knn")()
    more = model.needed_bytes(10, 1_000, 4_000_000) - model.needed_bytes(10, 1_000, 0)
    assert 101 * 2**20 <= more <= 2 * 101 * 2**20
