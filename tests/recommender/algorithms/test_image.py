import numpy as np
import pytest

from recommender.algorithms import Interactions, ItemFeatures, get
from recommender.evaluation.cold_start import cold_start_split, compare_cold
from tests.recommender.algorithms.content_data import pictures_of, shop


class Means:
    """An encoder that answers the mean color."""

    def encode(self, pictures):
        return np.array([picture.mean(axis=(0, 1)) for picture in pictures], dtype=np.float32)


def plain(red, green, blue):
    return np.full((4, 4, 3), (red, green, blue), dtype=np.uint8)


def test_items_are_alike_by_the_vectors_of_the_given_encoder():
    images = [plain(200, 0, 0), plain(190, 10, 0), plain(0, 200, 0), None]
    data = Interactions.from_histories([[0]], n_items=4)
    model = get("image")().fit(data, features=ItemFeatures(images=images, encoder=Means()))
    items, scores = model.recommend([0], 4, exclude=[0])
    vectors = np.array([[200, 0, 0], [190, 10, 0], [0, 200, 0]], dtype=float)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    centered = unit - unit.mean(axis=0)
    centered /= np.linalg.norm(centered, axis=1, keepdims=True)
    assert items[0].tolist() == [1, 2, -1, -1]
    assert scores[0, :2] == pytest.approx(centered[0] @ centered[1:].T, abs=1e-5)
    assert model.explain(0, 1) == [(0, pytest.approx(float(scores[0, 0]), abs=1e-5))]


def test_features_without_a_picture_are_refused():
    data = Interactions.from_arrays(users=[0], items=[0])
    for features in (ItemFeatures(texts=["a"]), ItemFeatures(images=[None])):
        with pytest.raises(ValueError, match="no item has a picture"):
            get("image")().fit(data, features=features)


def test_new_items_are_ranked_better_than_by_popularity_and_by_chance():
    log, topics = shop()
    cold = cold_start_split(log, seed=3)
    model = get("image")(centers=40).fit(cold.split.train, features=ItemFeatures(images=pictures_of(topics)))
    report = compare_cold({"model": model}, cold, k=5)
    assert all(report.differences["model"][other].is_above_zero for other in ("popular", "random"))
