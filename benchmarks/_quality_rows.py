"""One function for each row of the recommenders' table: what is measured, and what it must reach."""

from typing import Any

import _quality_made as made
import numpy as np
from _quality_lab import GROCERIES, Figure, Figures, Lab, differing, estimated

from recommender.algorithms import get
from recommender.evaluation import compare_rankings, compare_rmse, paired_bootstrap
from recommender.evaluation.judging import Protocol


def rmse(lab: Lab, name: str, *, folds: float, official: float | None = None, **parameters: Any) -> Figures:
    found = lab.rated(name, **parameters).ratings
    yield estimated(f"{name}: RMSE, KFold(5, seed 0)", found.metrics["rmse"], at_most=folds)
    if official is not None:
        found = lab.rated(name, official=True, **parameters).ratings
        yield estimated(f"{name}: RMSE, u1 to u5", found.metrics["rmse"], at_most=official)


def bought_again(lab: Lab) -> Figures:
    protocol = Protocol([lab.files.groceries])
    for name in ("popular", "trending", "repurchase"):
        found = lab.judge(GROCERIES, name, protocol).ranking
        bounds = {"at_least": 0.36} if name == "repurchase" else {}
        yield estimated(
            f"{name}: NDCG@20, weeks 1–48 → 49–53, repeats count", found.metrics["ndcg"], **bounds
        )


def user_neighbors(lab: Lab) -> Figures:
    plain = {"similarity": "pearson", "centering": "mean"}
    yield from rmse(lab, "user_knn", folds=0.951, **plain)
    better = lab.rated("user_knn", similarity="pearson", centering="baseline").ratings
    yield estimated("user_knn, centered by baseline: RMSE", better.metrics["rmse"])
    found = compare_rmse(better, lab.rated("user_knn", **plain).ratings)
    yield differing("user_knn: baseline less mean, RMSE", found, below=0.0)


def item_neighbors(lab: Lab) -> Figures:
    yield from rmse(lab, "item_knn", folds=0.920, similarity="pearson_baseline")
    found = lab.listed("item_knn").ranking
    yield estimated("item_knn: recall@20, 80/20", found.metrics["recall"], at_least=0.32)


def bayesian(lab: Lab) -> Figures:
    yield from rmse(lab, "bpmf", folds=0.92)
    inside: dict[float, list[float]] = {0.8: [], 0.9: [], 0.95: []}
    for split in lab.files.k_folds:
        model: Any = get("bpmf")().fit(split.train_log.ratings())
        log = split.test_log
        for share, held in inside.items():
            low, high = model.predict_interval(log.users, log.items, share)
            held.append(float(np.mean((log.weights >= low) & (log.weights <= high))))
    for share, held in inside.items():
        yield Figure(
            f"bpmf: share of the {share:.0%} intervals that held", float(np.mean(held)),
            at_least=share - 0.02, at_most=share + 0.02,
        )  # fmt: skip


def topics(lab: Lab) -> Figures:
    yield from rmse(lab, "nmf", folds=0.965)
    model: Any = get("nmf")().fit(lab.files.ratings.ratings())
    for number, items in enumerate(model.topics(5), start=1):
        titles = "; ".join(lab.files.titles[item] for item in items)
        yield Figure(f"nmf: films of topic {number}", float(len(items)), note=titles)


def in_context(lab: Lab) -> Figures:
    split = made.shop_with_dayparts()
    protocol = Protocol([split], k=10, context=["daypart"])
    gain = lab.judge("planted context", "tensor", protocol, factors=8).gain
    yield differing("tensor: NDCG@10 with less without the planted context", gain.gain, above=0.0)


def groceries_in_context(lab: Lab) -> Figures:
    protocol = Protocol([lab.files.groceries_in_context], context=["daypart", "weekday"])
    gain = lab.judge(f"{GROCERIES} in context", "tensor", protocol).gain
    yield estimated("tensor: NDCG@20 in the context of each line", gain.with_context)
    yield estimated("tensor: the same without context", gain.without)
    yield differing("tensor: the gain", gain.gain)


def lists(lab: Lab) -> Figures:
    yield estimated("popular: NDCG@20, 80/20", lab.listed("popular").ranking.metrics["ndcg"])
    for name, goal in (("als", 0.44), ("bpr", None), ("ease", 0.445)):
        found = lab.listed(name).ranking
        yield estimated(f"{name}: NDCG@20, 80/20", found.metrics["ndcg"], at_least=goal)
    yield closed_form(lab)


def closed_form(lab: Lab) -> Figure:
    """Scores of all users and items against B = I − P diag(1 / P), P = (XᵀX + λI)⁻¹, in double precision."""
    model: Any = get("ease")()
    train = lab.files.ratio.train
    matrix = train.matrix.astype(np.float64)
    inverse = np.linalg.inv((matrix.T @ matrix).toarray() + model.regularization * np.eye(train.n_items))
    weights = inverse / -np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    scores = model.fit(train).recommend(np.arange(train.n_users), train.n_items)
    exact = np.take_along_axis(matrix @ weights, scores[0], axis=1)
    return Figure(
        "ease: largest distance of a score from the closed form", float(np.abs(scores[1] - exact).max()),
        at_most=5e-5,
    )  # fmt: skip


def above_popular(name: str, lab: Lab) -> Figures:
    found, popular = lab.next_item(name).ranking, lab.next_item("popular").ranking
    yield estimated(f"{name}: NDCG@10, last item", found.metrics["ndcg"])
    by_users = paired_bootstrap(found.per_user["ndcg"], popular.per_user["ndcg"])
    yield differing(f"{name} less popular", by_users, above=0.0)
    # The stricter interval that decides about serving; the items are drawn by chance there, too.
    yield differing(f"{name} less popular, over users and items", compare_rankings(found, popular))


WITHOUT_ORDER = (
    "popular", "trending", "item_knn", "user_knn", "als", "bpr", "ease", "mlp", "autoencoder", "contrastive",
    "cnn", "hybrid",
)  # fmt: skip


def sequences(lab: Lab) -> Figures:
    yield from above_popular("sasrec", lab)
    for other in WITHOUT_ORDER:
        found = compare_rankings(lab.next_item("sasrec").ranking, lab.next_item(other).ranking)
        yield differing(f"sasrec less {other}", found, above=0.0)


def planted_sequences(lab: Lab) -> Figures:
    found = lab.next_made("sasrec").ranking
    yield estimated("sasrec: NDCG@10, planted order", found.metrics["ndcg"])
    for other in WITHOUT_ORDER:
        difference = compare_rankings(found, lab.next_made(other).ranking)
        yield differing(f"sasrec less {other}, planted order", difference, above=0.0)


def blend(lab: Lab) -> Figures:
    model: Any = get("hybrid")().fit(lab.files.ratio.train)
    own = model.validation
    best = max((name for name in own if name != "hybrid"), key=lambda name: own[name])
    yield Figure(f"hybrid: NDCG@20 on validation, beside {best}", own["hybrid"], at_least=own[best])
    found = compare_rankings(lab.listed("hybrid").ranking, lab.listed(best).ranking)
    yield differing(f"hybrid less {best}, 80/20", found)


def best_ratings(lab: Lab) -> Figures:
    found = lab.rated("rating_hybrid", official=True).ratings
    yield estimated("rating_hybrid: RMSE, u1 to u5", found.metrics["rmse"], at_most=0.905)
