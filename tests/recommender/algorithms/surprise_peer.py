"""The same ratings as the Surprise library takes them, with its own numbers equal to ours."""

import numpy as np


def trainset_of(surprise, ratings):
    """`surprise` is the module, as `pytest.importorskip` answers it."""
    n_users, n_items = ratings.shape
    by_user = {user: [] for user in range(n_users)}
    by_item = {item: [] for item in range(n_items)}
    rows = np.repeat(np.arange(n_users), np.diff(ratings.indptr)).tolist()
    for user, item, rating in zip(rows, ratings.items.tolist(), ratings.weights.tolist(), strict=True):
        by_user[user].append((item, rating))
        by_item[item].append((user, rating))
    scale = (float(ratings.weights.min()), float(ratings.weights.max()))
    same_users, same_items = ({number: number for number in known} for known in (by_user, by_item))
    return surprise.Trainset(by_user, by_item, n_users, n_items, len(rows), scale, same_users, same_items)


def predictions_of(model, users, items):
    return np.array([model.predict(int(u), int(i)).est for u, i in zip(users, items, strict=True)])


def unrated_pairs(ratings):
    """Of pairs that were rated, Surprise counts the row itself among its neighbors."""
    return np.nonzero(ratings.matrix.toarray() == 0)
