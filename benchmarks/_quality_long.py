"""Sequences of the size of MovieLens-1M: 6,040 users, 3,700 items, about a million events, planted order."""

import time
from typing import Any

import _quality_made as made
from _quality_lab import Figure, Figures, Lab, differing, estimated

from recommender.algorithms import get
from recommender.evaluation import compare_rankings, evaluate
from recommender.evaluation.judging import Protocol
from recommender.training.progress import progress_bar

SIZE = {"n_users": 6_040, "n_items": 3_700, "mean_length": 174}
OTHERS = ("popular", "item_knn", "als", "ease")
SECONDS = 600


def long_sequences(lab: Lab) -> Figures:
    """After ten minutes of training at most, `sasrec` finds twice as much as the best that reads no order."""
    split = made.shop_with_order(**SIZE)
    yield Figure("events to learn from", float(split.train.matrix.nnz))
    others = {}
    for name in OTHERS:
        others[name] = lab.judge("a million events", name, Protocol([split], k=10)).ranking
        yield estimated(f"{name}: NDCG@10, a million events", others[name].metrics["ndcg"])
    best = max(others, key=lambda name: others[name].metrics["ndcg"].value)
    model: Any = get("sasrec")(max_seconds=SECONDS)
    epochs: list[float] = []
    began = time.perf_counter()
    with progress_bar("sasrec on a million events") as bar:

        def heard(share: float) -> None:
            if share * model.epochs >= len(epochs) + 1:
                epochs.append(time.perf_counter() - began)
            bar(share)

        model.fit(split.train, progress=heard)
    yield Figure("sasrec: seconds of training", time.perf_counter() - began)
    if len(epochs) > 1:
        yield Figure("sasrec: seconds for each epoch", epochs[-1] / len(epochs))
    found = evaluate(model, split, k=10)
    if found is None:
        raise ValueError("nobody could be judged")
    at_least = 2 * others[best].metrics["ndcg"].value
    yield estimated("sasrec: NDCG@10, a million events", found.metrics["ndcg"], at_least=at_least)
    difference = compare_rankings(found, others[best])
    yield differing(f"sasrec less {best}, a million events", difference, above=0.0)
