"""What diversity costs in accuracy, and what folding in costs against a refit: pure, on arrays."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import _run  # noqa: F401  it puts the project before this folder
import numpy as np
import numpy.typing as npt
from _serving_data import Made, categories_of

from recommender.algorithms import Interactions, Recommender, get
from recommender.inputs.histories import Histories
from recommender.inputs.moment import Moment
from recommender.ranking.assortment import assortment_of
from recommender.ranking.many import Ranking
from recommender.ranking.rules import Rules
from recommender.serving import ServedModel

Floats = npt.NDArray[np.float64]
K = 20
BALANCES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)


class Logged(NamedTuple):
    """Events in the order of time, and the tags of the items."""

    name: str
    users: npt.NDArray[np.int64]
    items: npt.NDArray[np.int64]
    shape: tuple[int, int]
    tags: Sequence[list[str]]


def made_log(made: Made) -> Logged:
    tags = [categories_of(item) for item in range(made.shape[1])]
    return Logged("made data", made.users, made.items, made.shape, tags)


def movielens(folder: Path) -> Logged:
    """u.data and u.item of MovieLens-100K; genres are the tags."""
    columns = np.loadtxt(folder / "u.data", dtype=np.int64)
    columns = columns[np.argsort(columns[:, 3], kind="stable")]
    genres = []
    for line in (folder / "u.item").read_text("latin-1").splitlines():
        genres.append([f"genre {at}" for at, has in enumerate(line.split("|")[5:]) if has == "1"])
    return Logged("MovieLens-100K", columns[:, 0] - 1, columns[:, 1] - 1, (943, len(genres)), genres)


def matrix(log: Logged, rows: npt.NDArray[np.int64] | slice) -> Interactions:
    users, items = log.users[rows], log.items[rows]
    times = np.arange(len(log.users))[rows]
    return Interactions.from_arrays(users=users, items=items, timestamps=times, shape=log.shape).damped()


def ndcg(lists: npt.NDArray[np.int64], wanted: Interactions) -> Floats:
    """Of each user, NaN for those who have nothing to find; binary, the ideal cut at K."""
    discounts, found = 1 / np.log2(np.arange(2, K + 2)), np.full(len(lists), np.nan)
    for row, items in enumerate(lists):
        relevant = wanted.row(row)[0]
        if len(relevant):
            found[row] = (discounts * np.isin(items, relevant)).sum() / discounts[: len(relevant)].sum()
    return found


def intra_list_diversity(lists: npt.NDArray[np.int64], alike: npt.NDArray[np.floating]) -> Floats:
    """Mean of 1 − likeness over the pairs of each list; NaN for lists of fewer than two."""
    found = np.full(len(lists), np.nan)
    for row, items in enumerate(lists):
        own = items[items >= 0]
        if len(own) > 1:
            pairs = alike[np.ix_(own, own)]
            found[row] = 1 - (pairs.sum() - np.trace(pairs)) / (len(own) * (len(own) - 1))
    return found


def change(values: Floats, before: Floats, *, resamples: int = 1_000) -> list[float]:
    """Of the mean, as a share of the mean before, with its 95 % interval; users drawn anew, in pairs."""
    both = ~np.isnan(values) & ~np.isnan(before)
    values, before = values[both], before[both]
    random = np.random.default_rng(0)
    drawn = [random.integers(0, len(values), len(values)) for _ in range(resamples)]
    ratios = [values[some].mean() / before[some].mean() for some in drawn]
    return [
        float(share) - 1 for share in (values.mean() / before.mean(), *np.percentile(ratios, [2.5, 97.5]))
    ]


def cosines(vectors: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    units = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    return units @ units.T


def shared_tags(log: Logged) -> npt.NDArray[np.floating]:
    """Jaccard of the tags of each two items."""
    names = sorted({tag for tags in log.tags for tag in tags})
    has = np.array([[name in tags for name in names] for tags in log.tags], dtype=np.float64)
    common = has @ has.T
    either = has.sum(axis=1)[:, None] + has.sum(axis=1) - common
    return np.divide(common, either, out=np.zeros_like(common), where=either > 0)


def halves(log: Logged, *, share: float = 0.2) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Each user's latest events apart from the earlier ones, both in the order of time."""
    order = np.lexsort((np.arange(len(log.users)), log.users))
    counts = np.bincount(log.users, minlength=log.shape[0])
    place = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    is_late = np.empty(len(order), dtype=bool)
    is_late[order] = place >= np.repeat(np.ceil(counts * (1 - share)), counts)
    return np.flatnonzero(~is_late), np.flatnonzero(is_late)


def earlier(log: Logged) -> Logged:
    """The part that the test learns from: its own latest fifth is for choosing constants."""
    rows, _ = halves(log)
    return log._replace(users=log.users[rows], items=log.items[rows])


def diversity_trade_off(log: Logged) -> dict[str, dict[str, Any]]:
    """By λ, through the ranking that serves: NDCG@20 of each user's latest fifth, and diversity, by what the
    customers took together (the likeness that is served) and by the tags; and their change against λ = 1.
    """
    early, late = halves(log)
    train, wanted = matrix(log, early), matrix(log, late)
    served = ServedModel(get("als")().fit(train), np.arange(1, log.shape[1] + 1), {"Order Line": 1.0})
    shelf = assortment_of((at + 1, json.dumps(tags), "", None) for at, tags in enumerate(log.tags))
    users = np.repeat(np.arange(train.n_users), np.diff(train.indptr))
    events = Histories(
        np.arange(train.n_users), users, train.items + 1, np.ones(len(users)), np.zeros(len(users), int),
        users, train.items + 1,
    )  # fmt: skip
    vectors = served.model.item_vectors()
    assert vectors is not None
    by_taste, by_tags = cosines(vectors), shared_tags(log)
    found: dict[str, dict[str, Any]] = {}
    plain: dict[str, Floats] = {}
    for balance in BALANCES:
        ranking = Ranking(served, shelf, k=K, rules=Rules(diversity=balance), moment=Moment())
        lists = ranking.rank(events, train, left_out={}, by_trait=None).items - 1
        each = {
            "ndcg": ndcg(lists, wanted),
            "diversity": intra_list_diversity(lists, by_taste),
            "diversity_of_tags": intra_list_diversity(lists, by_tags),
        }
        plain = plain or each
        found[str(balance)] = {
            **{what: float(np.nanmean(values)) for what, values in each.items()},
            "change": {what: change(values, plain[what]) for what, values in each.items()},
        }
    return found


def fold_in_against_refit(log: Logged) -> dict[str, dict[str, float]]:
    """NDCG@20 of the last tenth of the time: of a model that never saw the 5 % before that, given whole
    histories, and of one fitted on everything until then.
    """
    n = len(log.users)
    train, wanted = matrix(log, slice(0, int(0.9 * n))), matrix(log, slice(int(0.9 * n), n))
    older = matrix(log, slice(0, int(0.95 * 0.9 * n)))
    found = {}
    for name in ("als", "ease", "item_knn"):
        folded, refitted = (_ndcg_of(get(name)().fit(data), train, wanted) for data in (older, train))
        stale = _ndcg_of(get(name)().fit(older), older, wanted)
        found[name] = {"folded_in": folded, "refit": refitted, "without_the_last_5_percent": stale}
    return found


def _ndcg_of(model: Recommender, histories: Interactions, wanted: Interactions) -> float:
    items, _ = model.recommend_for(histories, K, exclude=histories)
    return float(np.nanmean(ndcg(items, wanted)))
