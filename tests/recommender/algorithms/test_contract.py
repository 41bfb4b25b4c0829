"""What every registered recommender promises, whatever is behind its name."""

import numpy as np
import pytest

from recommender.algorithms import ArtifactError, Interactions, UnknownAlgorithmError, get, load, names
from recommender.algorithms._artifact import PREFIX_BYTES

USERS, ITEMS = 60, 25
# Their scores are sums over the history, and they must say so.
MUST_EXPLAIN = {"als", "ease", "item_knn", "user_knn"}
# Smaller than the defaults where those take long; only parameters that the algorithm has are passed on.
SMALL = {"factors": 8}
SMALL_DEEP = {
    "dimensions": 16,
    "hidden": 32,
    "layers": 1,
    "epochs": 15,
    "learning_rate": 0.01,
    "batch_size": 16,
}


@pytest.fixture(params=names())
def name(request):
    if get(request.param).extra == "deep":
        pytest.importorskip("torch", reason="the optional extra deep is not installed")
    return request.param


@pytest.fixture
def data():
    random = np.random.default_rng(3)
    return Interactions.from_arrays(
        users=random.integers(0, USERS - 1, 600),  # the last user has no history
        items=random.integers(0, ITEMS, 600),
        weights=random.choice([0.3, 1.0, 2.0], 600),
        shape=(USERS, ITEMS),
    )


def small(name):
    known = get(name)().parameters
    wanted = SMALL_DEEP if get(name).extra == "deep" else SMALL
    return get(name)(**{key: value for key, value in wanted.items() if key in known})


def test_the_names_are_found_by_themselves():
    assert {"als", "ease", "item_knn", "popular"} <= set(names())
    with pytest.raises(UnknownAlgorithmError, match="popular"):
        get("astrology")


def test_lists_have_the_asked_shape_and_fall_in_score(name, data):
    items, scores = small(name).fit(data).recommend(np.arange(10), 7)
    assert items.shape == scores.shape == (10, 7)
    assert np.issubdtype(items.dtype, np.integer) and np.issubdtype(scores.dtype, np.floating)
    assert items.max() < ITEMS and items.min() >= -1
    assert (scores[:, :-1] >= scores[:, 1:]).all()
    for row in items:
        real = row[row >= 0]
        assert len(set(real.tolist())) == len(real)


def test_lists_are_padded_with_minus_one(name, data):
    items, scores = small(name).fit(data).recommend([0, 1], ITEMS + 5)
    assert items.shape == (2, ITEMS + 5)
    assert (items[:, ITEMS:] == -1).all() and np.isneginf(scores[:, ITEMS:]).all()
    assert ((items == -1) == np.isneginf(scores)).all()


def test_excluded_items_never_appear(name, data):
    model, users = small(name).fit(data), np.arange(USERS)
    items, _ = model.recommend(users, ITEMS, exclude=data)
    for user in users:
        assert not set(items[user].tolist()) & set(data.row(user)[0].tolist())
    assert 4 not in model.recommend(users, ITEMS, exclude=[4])[0]
    own = model.recommend([0, 1], ITEMS, exclude=[[1, 2], [3]])[0]
    assert not {1, 2} & set(own[0].tolist()) and 3 not in own[1]


def test_only_allowed_items_appear(name, data):
    model, mask = small(name).fit(data), np.arange(ITEMS) % 2 == 0
    by_mask, _ = model.recommend(np.arange(5), ITEMS, allowed=mask)
    by_number, _ = model.recommend(np.arange(5), ITEMS, allowed=np.flatnonzero(mask))
    assert np.array_equal(by_mask, by_number)
    assert set(by_mask.ravel().tolist()) <= {-1, *range(0, ITEMS, 2)}
    assert (model.recommend([0], 3, allowed=[])[0] == -1).all()


def test_without_history_a_personal_model_says_nothing(name, data):
    model = small(name).fit(data)
    for items in (
        model.recommend_for([[]], 3)[0],
        model.recommend([USERS - 1], 3)[0],
        model.recommend([10**6], 3)[0],
    ):
        assert items.shape == (1, 3)
        assert (items == -1).all() == model.needs_history


def test_a_known_history_is_ranked_as_in_training(name, data):
    model = small(name).fit(data)
    known, new = model.recommend([3, 4], 8), model.recommend_for(data.rows([3, 4]), 8)
    assert np.array_equal(known[0], new[0])
    assert np.allclose(known[1], new[1], atol=1e-6)


def test_nobody_and_nothing_and_one_of_each(name):
    one = small(name).fit(Interactions.from_arrays(users=[0], items=[0]))
    assert one.recommend([0], 2)[0].shape == (1, 2)
    assert (one.recommend([0], 2, exclude=[0])[0] == -1).all()
    none = small(name).fit(Interactions.from_arrays(users=np.zeros(0, int), items=np.zeros(0, int)))
    assert (none.recommend([0], 2)[0] == -1).all()
    assert one.recommend(np.zeros(0, int), 2)[0].shape == (0, 2)


def test_doubled_rows_count_as_their_sum(name):
    users, items = [0, 0, 1, 1, 2, 2], [0, 1, 1, 2, 0, 2]
    doubled = Interactions.from_arrays(users=users * 2, items=items * 2)
    summed = Interactions.from_arrays(users=users, items=items, weights=[2.0] * 6)
    found = [small(name).fit(data).recommend([0, 1, 2], 3) for data in (doubled, summed)]
    assert np.array_equal(found[0][0], found[1][0]) and np.allclose(found[0][1], found[1][1])


def test_the_same_seed_gives_the_same_lists(name, data):
    first, second = (small(name).fit(data).recommend(np.arange(USERS), 10) for _ in range(2))
    assert np.array_equal(first[0], second[0]) and np.array_equal(first[1], second[1])


def test_what_was_saved_answers_the_same(name, data, tmp_path):
    model, path = small(name).fit(data), tmp_path / "model.npz"
    digest = model.save(path)
    for again in (load(path, digest=digest), get(name).load(path)):
        assert again.parameters == model.parameters
        expected, found = model.recommend(np.arange(USERS), 10), again.recommend(np.arange(USERS), 10)
        assert np.array_equal(expected[0], found[0]) and np.array_equal(expected[1], found[1])
    model.save(path, with_histories=False)
    lean = load(path)
    assert np.array_equal(lean.recommend_for([[1, 2]], 5)[0], model.recommend_for([[1, 2]], 5)[0])
    with pytest.raises(ValueError, match="without histories"):
        lean.recommend([0], 5)
    assert [file.name for file in tmp_path.iterdir()] == ["model.npz"]


def test_a_damaged_file_is_refused(name, data, tmp_path):
    path = tmp_path / "model.npz"
    small(name).fit(data).save(path)
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1
    for damaged in (whole[:-1], whole[: len(whole) // 2], bytes(flipped), b"", whole[PREFIX_BYTES:]):
        path.write_bytes(damaged)
        with pytest.raises(ArtifactError):
            load(path)
        with pytest.raises(ArtifactError):
            get(name).load(path)
    path.write_bytes(whole)
    with pytest.raises(ArtifactError, match="another model"):
        load(path, digest="0" * 64)
    other = next(other for other in names() if other != name)
    with pytest.raises(ArtifactError, match=name):
        get(other).load(path)
    with pytest.raises(ArtifactError):
        load(tmp_path / "missing.npz")


def test_reasons_add_up_to_the_score(name, data):
    model = small(name).fit(data)
    items, scores = model.recommend(np.arange(20), 3)
    for user in range(20):
        for item, score in zip(items[user], scores[user], strict=True):
            reasons = model.explain(user, int(item), 10**6) if item >= 0 else []
            if not reasons:
                assert name not in MUST_EXPLAIN or item == -1
                continue
            assert {reason for reason, _ in reasons} == set(data.row(user)[0].tolist())
            assert sum(share for _, share in reasons) == pytest.approx(float(score), abs=1e-5)
            assert model.explain(data.rows([user]), int(item), 2) == reasons[:2]


def test_the_checkerboard_is_completed(name):
    """Even users have even items, odd users odd ones; each lacks one of its own color: the answer."""
    cells = [(user, item) for user in range(20) for item in range(20) if user % 2 == item % 2]
    missing = {user: (user + 2) % 20 for user in range(20)}
    users, items = zip(*[cell for cell in cells if missing[cell[0]] != cell[1]], strict=True)
    board = Interactions.from_arrays(users=users, items=items, shape=(20, 20))
    found, _ = small(name).fit(board).recommend(np.arange(20), 1, exclude=board)
    if get(name)().needs_history:
        assert found[:, 0].tolist() == [missing[user] for user in range(20)]
    else:
        assert (found >= 0).all()


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_weights_that_are_no_numbers_are_refused(bad):
    with pytest.raises(ValueError, match="finite"):
        Interactions.from_arrays(users=[0, 1], items=[0, 1], weights=[1.0, bad])


def test_senseless_questions_are_refused(name, data):
    model = small(name).fit(data)
    for wrong in (
        lambda: model.recommend([0], 0),
        lambda: model.recommend_for([[ITEMS]], 1),
        lambda: model.recommend([0, 1], 1, exclude=[[1]]),
        lambda: model.explain(0, ITEMS),
        lambda: small(name).recommend([0], 1),
    ):
        with pytest.raises(ValueError):
            wrong()
