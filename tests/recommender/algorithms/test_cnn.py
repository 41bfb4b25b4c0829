"""An item that nobody took is recommended by its picture to those who like such pictures."""

import numpy as np
import pytest

from recommender.algorithms import Interactions, ItemFeatures, get, load
from tests.recommender.algorithms.deep_data import gains, tastes

pytest.importorskip("torch")

# Horizontal stripes, vertical stripes, and a chessboard, in noise: what color alone does not tell.
GROUPS, NEW = 3, 6


def pictures(n_items, seed=0):
    random, rows = np.random.default_rng(seed), np.arange(40)
    bars = (rows // 5 % 2)[:, None].astype(bool)
    patterns = [np.broadcast_to(bars, (40, 40)), np.broadcast_to(bars.T, (40, 40)), bars ^ bars.T]
    found = []
    for item in range(n_items):
        shift = random.integers(0, 10, 2)
        pattern = np.roll(patterns[item % GROUPS], shift, axis=(0, 1))[:, :, None]
        noisy = np.where(pattern, 170, 80) + random.normal(0, 40, (40, 40, 3))
        found.append(np.clip(noisy, 0, 255).astype(np.uint8))
    return found


@pytest.fixture(scope="module")
def data():
    known, targets = tastes()
    wide = Interactions.from_arrays(
        users=np.repeat(np.arange(known.n_users), np.diff(known.indptr)), items=known.items,
        timestamps=known.timestamps, shape=(known.n_users, known.n_items + NEW),
    )  # fmt: skip
    return wide, targets


@pytest.fixture(scope="module")
def model(data):
    features = ItemFeatures(images=pictures(data[0].n_items))
    return get("cnn")(dimensions=16, epochs=60, patience=60).fit(data[0], features=features)


def test_a_new_item_goes_to_the_people_who_like_such_pictures(data, model):
    known, new = data[0], np.arange(data[0].n_items - NEW, data[0].n_items)
    lists, _ = model.recommend(np.arange(known.n_users), 2, allowed=new)
    right = lists % GROUPS == np.arange(known.n_users)[:, None] % GROUPS
    assert right.mean() > 0.6, "by chance it is a third"


def test_a_new_item_without_a_picture_is_not_recommended(data):
    images = [*pictures(data[0].n_items - 1), None]
    model = get("cnn")(dimensions=8, epochs=1).fit(data[0], features=ItemFeatures(images=images))
    assert data[0].n_items - 1 not in model.recommend([0], data[0].n_items)[0]
    assert data[0].n_items - 2 in model.recommend([0], data[0].n_items)[0]


def test_it_beats_popularity_without_pictures(data):
    known, targets = data
    model = get("cnn")(dimensions=16, epochs=60).fit(known)
    popular = get("popular")().fit(known)
    assert gains(model, known, targets).mean() > gains(popular, known, targets).mean() + 0.05


def test_a_saved_model_ranks_new_items_without_their_pictures(data, model, tmp_path):
    model.save(tmp_path / "model")
    items = model.recommend([0, 1, 2], 20)[0]
    assert np.array_equal(load(tmp_path / "model").recommend([0, 1, 2], 20)[0], items)


def test_gray_pictures_are_welcome(data):
    images = [image[:, :, 0] for image in pictures(data[0].n_items)]
    get("cnn")(dimensions=8, epochs=1).fit(data[0], features=ItemFeatures(images=images))
