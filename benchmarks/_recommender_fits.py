"""Both sides of each comparison: ours, and the library or the formula it is compared with.

Every function gets data that is already in the form its side wants, and answers the fitted model; the
raters answer the predicted ratings of the held-out pairs, too.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from _recommender_data import Ratings

from recommender.algorithms import Interactions, get

Predicted = npt.NDArray[np.floating]


def our_fit(name: str, **parameters: Any) -> Callable[[Interactions], object]:
    return lambda train: get(name)(**parameters).fit(train)


def fit_implicit_als(train: Interactions) -> object:
    from implicit.cpu.als import AlternatingLeastSquares
    from threadpoolctl import threadpool_limits

    ours: Any = get("als")()  # as many factors and iterations for both, and the same confidences
    confidences = train.matrix.copy()
    confidences.data = 1 + np.float32(ours.alpha) * confidences.data
    with threadpool_limits(limits=1, user_api="blas"):
        model = AlternatingLeastSquares(factors=ours.factors, iterations=ours.iterations, random_state=0)
        model.fit(confidences, show_progress=False)
    return model


def fit_implicit_bpr(train: Interactions) -> object:
    from implicit.cpu.bpr import BayesianPersonalizedRanking

    # One thread, as ours: with more, the library answers another model each time, whatever the seed.
    model = BayesianPersonalizedRanking(factors=64, random_state=0, num_threads=1)
    model.fit(train.matrix, show_progress=False)
    return model


def fit_inverse(train: Interactions) -> object:
    """EASE as it is usually written down."""
    matrix = train.matrix
    gram = (matrix.T @ matrix).toarray()
    gram[np.diag_indices(len(gram))] += 250.0
    inverse = np.linalg.inv(gram)
    weights = inverse / -np.diag(inverse)
    weights[np.diag_indices(len(gram))] = 0.0
    return weights


def fit_lenskit(make_scorer: Callable[[], Any]) -> Callable[[Interactions], object]:
    def fit(train: Interactions) -> object:
        scorer = make_scorer()
        scorer.train(_lenskit_data(train))
        return scorer

    return fit


def lenskit_ease() -> Any:
    from lenskit.knn import EASEScorer

    return EASEScorer(regularization=250)


def lenskit_item_knn() -> Any:
    from lenskit.knn import ItemKNNScorer

    return ItemKNNScorer(max_nbrs=100, feedback="implicit")


def lenskit_als() -> Any:
    from lenskit.als import ImplicitMFScorer

    ours: Any = get("als")()
    return ImplicitMFScorer(embedding_size=ours.factors, epochs=ours.iterations)


def _lenskit_data(train: Interactions) -> Any:
    import pandas as pd
    from lenskit.data import from_interactions_df

    users = np.repeat(np.arange(train.n_users), np.diff(train.indptr))
    return from_interactions_df(pd.DataFrame({"user_id": users, "item_id": train.items}))


def our_rater(name: str, **parameters: Any) -> Callable[[Ratings, Ratings], Predicted]:
    def rate(train: Ratings, test: Ratings) -> Predicted:
        interactions = Interactions.from_arrays(users=train.users, items=train.items, weights=train.ratings)
        model: Any = get(name)(**parameters).fit(interactions)
        return np.asarray(model.predict(test.users, test.items))

    return rate


def surprise_rater(make: Callable[[], Any]) -> Callable[[Ratings, Ratings], Predicted]:
    def rate(train: Ratings, test: Ratings) -> Predicted:
        model = make().fit(_surprise_data(train))
        asked = list(zip(test.users.tolist(), test.items.tolist(), test.ratings.tolist(), strict=True))
        return np.array([found.est for found in model.test(asked)])

    return rate


def _surprise_data(train: Ratings) -> Any:
    import pandas as pd
    from surprise import Dataset, Reader

    frame = pd.DataFrame({"user": train.users, "item": train.items, "rating": train.ratings})
    return Dataset.load_from_df(frame, Reader(rating_scale=(1, 5))).build_full_trainset()


def _surprise(name: str, **parameters: Any) -> Callable[[], Any]:
    def make() -> Any:
        import surprise

        return getattr(surprise, name)(**parameters, **({} if "KNN" in name else {"random_state": 0}))

    return make


_ITEM_PEARSON = {"name": "pearson_baseline", "user_based": False}
_USER_PEARSON = {"name": "pearson", "user_based": True}

# name: (ours, {peer: its fit})
FITS: dict[str, Callable[[Interactions], object]] = {
    "als": our_fit("als"),
    "implicit_als": fit_implicit_als,
    "lenskit_als": fit_lenskit(lenskit_als),
    "ease": our_fit("ease"),
    "numpy_inv": fit_inverse,
    "lenskit_ease": fit_lenskit(lenskit_ease),
    "item_knn": our_fit("item_knn"),
    "lenskit_item_knn": fit_lenskit(lenskit_item_knn),
    "bpr": our_fit("bpr"),
    "implicit_bpr": fit_implicit_bpr,
}
RATERS: dict[str, Callable[[Ratings, Ratings], Predicted]] = {
    "svd": our_rater("svd"),
    "surprise_svd": surprise_rater(_surprise("SVD")),
    "pmf": our_rater("pmf"),
    "surprise_pmf": surprise_rater(_surprise("SVD", biased=False)),
    "svdpp": our_rater("svdpp"),
    "surprise_svdpp": surprise_rater(_surprise("SVDpp", cache_ratings=True)),
    "nmf": our_rater("nmf"),
    "surprise_nmf": surprise_rater(_surprise("NMF")),
    "item_knn_ratings": our_rater("item_knn", similarity="pearson_baseline"),
    "surprise_item_knn": surprise_rater(_surprise("KNNBaseline", sim_options=_ITEM_PEARSON, verbose=False)),
    "user_knn_ratings": our_rater("user_knn", similarity="pearson", centering="mean"),
    "surprise_user_knn": surprise_rater(_surprise("KNNWithMeans", sim_options=_USER_PEARSON, verbose=False)),
}
# which figure is divided by which: peer over ours, so that more than 1 means ours is faster
PEERS = {
    "als": ["implicit_als", "lenskit_als"],
    "ease": ["numpy_inv", "lenskit_ease"],
    "item_knn": ["lenskit_item_knn"],
    "bpr": ["implicit_bpr"],
    "svd": ["surprise_svd"],
    "pmf": ["surprise_pmf"],
    "svdpp": ["surprise_svdpp"],
    "nmf": ["surprise_nmf"],
    "item_knn_ratings": ["surprise_item_knn"],
    "user_knn_ratings": ["surprise_user_knn"],
}
