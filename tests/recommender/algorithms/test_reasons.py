import numpy as np
import pytest

from recommender.algorithms import Interactions, get
from recommender.algorithms._base import Recommender

LONG_AND_SHORT = [0, 1, 5, 40]


def made(n_users=60, n_items=50, n=900):
    random = np.random.default_rng(11)
    return Interactions.from_arrays(
        users=random.integers(0, n_users, n), items=random.integers(0, n_items, n),
        weights=random.integers(1, 4, n), shape=(n_users, n_items),
    ).damped()  # fmt: skip


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("als", {"factors": 8}), ("ease", {}), ("item_knn", {}), ("user_knn", {}), ("popular", {})],
)
def test_the_reason_has_the_largest_share_of_the_score_beside_the_item_itself(name, parameters):
    model = get(name)(**parameters).fit(made())
    random = np.random.default_rng(2)
    histories = [random.choice(50, size, replace=False).tolist() for size in LONG_AND_SHORT]
    rows = Interactions.from_histories(histories, n_items=50)
    targets = random.integers(-1, 50, (len(histories), 12))
    found = model.reasons(rows, targets)
    for row, wanted in enumerate(targets):
        items = rows.row(row)[0]
        for at, target in enumerate(wanted):
            shares = model.contributions(rows.rows([row]), [max(int(target), 0)])[0]
            shares = np.where(items == target, -np.inf, shares) if len(shares) else shares
            if target < 0 or not len(shares) or shares.max() <= 0:
                assert found[row, at] == -1
            else:
                assert shares[items == found[row, at]][0] == pytest.approx(shares.max(), rel=1e-4)


@pytest.mark.parametrize("name", ["als", "ease", "item_knn"])
def test_many_at_once_are_the_same_as_one_after_the_other(name):
    model = get(name)().fit(made())
    rows, targets = made(), np.random.default_rng(4).integers(-1, 50, (60, 20))
    slow = np.full(targets.shape, -1)
    Recommender._find_reasons(model, rows, targets, slow)
    assert (model.reasons(rows, targets) == slow).mean() > 0.999  # equal shares may fall either way
