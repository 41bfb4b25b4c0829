"""Rows that need more than one model beside its goal: new items, known answers, the choice of `auto`."""

import time
from typing import Any

import _quality_made as made
import numpy as np
from _quality_lab import GROCERIES, Figure, Figures, Lab, differing, estimated

from recommender.algorithms import Interactions, ItemFeatures, get
from recommender.evaluation import compare_rankings, time_split
from recommender.evaluation.cold_start import HINDSIGHT, POPULAR, RANDOM, ColdStart, compare_cold
from recommender.evaluation.false_promotions import count_false_promotions
from recommender.evaluation.judging import Protocol, judge
from recommender.training.progress import progress_bar

OF_TEXTS = ("tfidf", "word_embedding", "naive_bayes", "decision_tree")
PERSONAL = ("item_knn", "user_knn", "als", "bpr", "ease", "hybrid")
NOISE_SHOPS, PAIRS = 20, 200


def _new_items(where: str, names: tuple[str, ...], cold: ColdStart, features: ItemFeatures) -> Figures:
    """Only the withheld items are ranked. Popularity knows none of them: its list is empty and worth 0, so
    the stricter measure is a random order of them. In hindsight, popularity has seen what it is judged by:
    no rival, but a ceiling for what is the same for everyone.
    """
    fitted = {}
    for name in names:
        with progress_bar(f"{name} on {where}") as bar:
            source = cold.split.input_for(is_explicit=get(name)().is_explicit)
            fitted[name] = get(name)().fit(source, features=features, progress=bar)
    report = compare_cold(fitted, cold)
    if report is None:
        raise ValueError("nobody took a withheld item")
    for name in (RANDOM, HINDSIGHT):
        found = report.evaluations[name].metrics["ndcg"]
        yield estimated(f"{name}: NDCG@20 of {report.n_items} new items, {where}", found)
    for name in names:
        yield estimated(f"{name}: NDCG@20, {where}", report.evaluations[name].metrics["ndcg"])
        for other in (POPULAR, RANDOM):
            found = report.differences[name][other]
            yield differing(f"{name} less {other}, {where}", found, above=0.0)
        yield differing(f"{name} less {HINDSIGHT}, {where}", report.differences[name][HINDSIGHT])


def planted_new_items(lab: Lab) -> Figures:
    names = (*OF_TEXTS, "image")
    yield from _new_items("planted topics", names, *made.shop_with_new_items())


def new_groceries(lab: Lab) -> Figures:
    yield from _new_items(GROCERIES, OF_TEXTS, lab.files.new_groceries, lab.files.about_groceries)


def checkerboard(lab: Lab) -> Figures:
    """Even users have even items, odd users odd ones; each lacks one of its own color: the answer."""
    cells = [(user, item) for user in range(20) for item in range(20) if user % 2 == item % 2]
    missing = {user: (user + 2) % 20 for user in range(20)}
    users, items = zip(*[cell for cell in cells if missing[cell[0]] != cell[1]], strict=True)
    board = Interactions.from_arrays(users=users, items=items, shape=(20, 20))
    for name in PERSONAL:
        found, _ = get(name)().fit(board).recommend(np.arange(20), 1, exclude=board)
        right = float(np.mean(found[:, 0] == np.array(list(missing.values()))))
        yield Figure(f"{name}: share of the checkerboard completed", right, at_least=1.0)


def automatic(lab: Lab) -> Figures:
    """Tuned and fitted within a minute."""
    began = time.perf_counter()
    protocol = Protocol([lab.files.ratio], tune_seconds=60)
    with progress_bar("auto on MovieLens-100K") as bar:
        verdict = judge("auto", protocol, progress=bar)
    seconds = time.perf_counter() - began
    if verdict.ranking is None:
        raise ValueError(verdict.error)
    chosen = f"{verdict.chosen[0]['algorithm']} {verdict.chosen[0]['parameters']}"
    yield estimated("auto: NDCG@20, 80/20", verdict.ranking.metrics["ndcg"], at_least=0.43, note=chosen)
    yield Figure("auto: seconds of search, fit and judgment", seconds, at_most=60.0)
    found = compare_rankings(verdict.ranking, lab.listed("popular").ranking)
    yield differing("auto less popular", found, above=0.0)


def nothing_to_find(lab: Lab) -> Figures:
    """Where everybody takes by one popularity, what `auto` finds is published only by chance."""
    published = 0
    for seed in range(NOISE_SHOPS):
        split = time_split(made.noise_shop(seed))
        verdict = judge("auto", Protocol([split], tune_seconds=1.5))
        popular = judge("popular", [split])
        if verdict.ranking is None or popular.ranking is None:
            raise ValueError(verdict.error or popular.error)
        found = compare_rankings(verdict.ranking, popular.ranking)
        published += found is not None and found.is_above_zero
    label = f"auto: published without being better, share of {NOISE_SHOPS} shops of noise"
    yield Figure(label, published / NOISE_SHOPS, at_most=0.05)


def false_promotions(lab: Lab) -> Figures:
    recipe: dict[str, Any] = {"factors": 8, "iterations": 5}
    wrong = count_false_promotions("als", recipe, pairs=PAIRS)
    yield Figure(f"als beside itself: promoted, share of {PAIRS} pairs", wrong / PAIRS, at_most=0.05)
