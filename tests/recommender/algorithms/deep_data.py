"""Self-made histories for the tests of the deep models."""

import numpy as np

from recommender.algorithms import Interactions


def planted_order(*, n_users=300, n_items=40, length=12, seed=0):
    """Each item has a successor, taken next with 70 %; else any. Answers the training part and, for each
    user, the last item, which is not in it.
    """
    random = np.random.default_rng(seed)
    successor = random.permutation(n_items)
    histories = []
    for _ in range(n_users):
        history = [int(random.integers(n_items))]
        while len(history) < length:
            following = int(successor[history[-1]])
            if random.random() > 0.7 or following in history:
                following = int(random.choice(np.setdiff1d(np.arange(n_items), history)))
            history.append(following)
        histories.append(history)
    known = Interactions.from_histories([history[:-1] for history in histories], n_items=n_items, until=1000)
    return known, np.array([history[-1] for history in histories])


def tastes(*, n_users=300, n_items=60, groups=3, length=8, seed=0):
    """Users of a group take items of that group (item number modulo groups), four times in five."""
    random = np.random.default_rng(seed)
    histories, last = [], []
    for user in range(n_users):
        own = np.arange(n_items) % groups == user % groups
        chances = np.where(own, 0.8 / own.sum(), 0.2 / (~own).sum())
        *history, target = random.choice(n_items, length + 1, replace=False, p=chances).tolist()
        histories.append(history)
        last.append(target)
    return Interactions.from_histories(histories, n_items=n_items, until=1000), np.array(last)


def gains(model, known, targets, *, k=10):
    """NDCG@k of each user against the one target."""
    lists, _ = model.recommend(np.arange(known.n_users), k, exclude=known)
    hits = lists == targets[:, None]
    return np.where(hits.any(axis=1), 1 / np.log2(2 + hits.argmax(axis=1)), 0.0)
