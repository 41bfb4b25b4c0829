import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier

from recommender.algorithms import ArtifactError, Interactions, ItemFeatures, get
from recommender.algorithms._artifact import read, write
from recommender.algorithms._matching import Matcher, number_columns, success_of
from recommender.algorithms._tree_kernels import add_leaves
from recommender.algorithms._words import counts, documents
from recommender.algorithms.decision_tree import _flattened
from recommender.evaluation.cold_start import cold_start_split, compare_cold
from tests.recommender.algorithms.content_data import shop, words_of

TAGS = [["a"], ["a", "b"], ["b"], []]
PRICES = np.array([1.0, 3.0, np.nan, 5.0])


def matcher():
    features = ItemFeatures(tags=TAGS, numbers={"price": PRICES})
    counted, _ = counts(documents(features, 4), limit=10)
    return Matcher(counted, number_columns(features.numbers, 4), np.ones(4, np.float32))


def test_a_match_in_numbers():
    found = matcher()
    profiles = found.profiles(Interactions.from_histories([[0, 1]], n_items=4))
    grid = found.grid(profiles)
    spread = np.std([1, 3, 5])
    # The share of the history: a 2/2, b 1/2; of the catalog: 2/4 each. The mean price is 2.
    assert grid[:, 1] == pytest.approx([1, 0.75, 0.5, 0])
    a, b = np.log1p(2 / (5 * 0.5)), np.log1p(1 / (5 * 0.5))
    assert grid[:, 2] == pytest.approx([a, (a + b) / 2, b, 0])
    assert grid[:, 4] == pytest.approx(np.log(3))
    assert grid[:, 5] == pytest.approx([1 / spread, 1 / spread, -1, 3 / spread])
    assert grid[:, 6] == pytest.approx([0, 1 / 3, -1, 2 / 3])
    assert grid[3, 0] == 0 and grid[0, 0] > grid[2, 0] > 0
    some = found.pairs(profiles, np.zeros(4, dtype=int), np.arange(4), np.ones(4, np.float32))
    assert some == pytest.approx(grid)


def test_success_of_words_leaves_the_item_itself_out_while_learning():
    counted, _ = counts([["a"], ["a"], ["b"]], limit=5)
    success, of_others = success_of(counted, np.array([3.0, 1.0, 0.0]))
    # Taken twice on average; a: (1.5 + 0.5 + 1) / 3; without item 0: (0.5 + 1) / 2.
    assert success.tolist() == [1, 1, 1]
    assert of_others.tolist() == [0.75, 1.25, 1]


def test_the_kept_arrays_vote_like_scikit_learns_forest():
    random = np.random.default_rng(0)
    rows = random.random((300, 4)).astype(np.float32)
    forest = RandomForestClassifier(7, max_depth=5, random_state=1).fit(rows, rows[:, 0] > rows[:, 1])
    nodes, votes = _flattened([tree.tree_ for tree in forest.estimators_]), np.zeros(300)
    names = ("roots", "columns", "thresholds", "left", "right", "values")
    add_leaves(rows, *(nodes[name] for name in names), votes)
    assert votes == pytest.approx(forest.predict_proba(rows)[:, 1], abs=1e-12)


def test_the_price_that_people_pay_is_learned():
    random = np.random.default_rng(0)
    prices = np.arange(60.0)
    users, items = [], []
    for user in range(80):  # each stays within ten of an own price
        near = np.flatnonzero(np.abs(prices - random.uniform(0, 60)) < 10)
        chosen = random.choice(near, min(6, len(near)), replace=False)
        users += [user] * len(chosen)
        items += chosen.tolist()
    data = Interactions.from_arrays(users=users, items=items, shape=(80, 60))
    model = get("decision_tree")().fit(data, features=ItemFeatures(numbers={"price": prices}))
    cheap, dear = model.recommend_for([[5, 9], [50, 54]], 5, exclude=[5, 9, 50, 54])[0]
    assert cheap.max() < 20 and dear.min() > 40


def test_nothing_to_learn_from_leaves_the_similarity():
    data = Interactions.from_arrays(users=[0], items=[0], shape=(1, 4))
    model = get("decision_tree")().fit(data, features=ItemFeatures(tags=TAGS))
    assert model.recommend([0], 4)[0].tolist() == [[0, 1, 2, -1]]


def test_trees_that_lead_nowhere_are_refused(tmp_path):
    log, topics = shop()
    model = get("decision_tree")(trees=2).fit(log.interactions(), features=words_of(topics))
    path = tmp_path / "model.npz"
    model.save(path)
    header, arrays = read(path)
    for short, wrong in {"left": 0, "right": 10**6, "columns": 99, "roots": -1}.items():
        name = f"model.tree.{short}"
        changed = arrays[name].copy()
        changed[0] = wrong
        write(path, header=header, arrays={**arrays, name: changed})
        with pytest.raises(ArtifactError, match="hang together"):
            get("decision_tree").load(path)


def test_features_without_a_word_or_number_are_refused():
    data = Interactions.from_arrays(users=[0], items=[0])
    features = ItemFeatures(numbers={"price": np.array([np.nan])})
    with pytest.raises(ValueError, match="no item has a text, a tag or a number"):
        get("decision_tree")().fit(data, features=features)


def test_new_items_are_ranked_better_than_by_popularity_and_by_chance():
    log, topics = shop()
    cold = cold_start_split(log, seed=3)
    model = get("decision_tree")().fit(cold.split.train, features=words_of(topics))
    report = compare_cold({"model": model}, cold, k=5)
    assert all(report.differences["model"][other].is_above_zero for other in ("popular", "random"))
