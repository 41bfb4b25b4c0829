"""The product is asked to find what the simulation knows."""

import numpy as np

from experiments.stats import Mean, compare
from personalization.demo import truth
from personalization.demo.behavior import Kind
from recommender import algorithms
from recommender.algorithms import Interactions


def _interactions(world, year):
    weight = np.array([0.1, 0.3, 0.0, 1.0, 0.0])[year.kind]
    used = (weight > 0) & (year.item >= 0)
    return Interactions.from_arrays(
        users=year.customer[used], items=year.item[used], weights=weight[used],
        shape=(len(world.customers), len(world.items)),
    )  # fmt: skip


def test_a_trained_model_finds_the_tastes_that_bestsellers_miss(world, year):
    data = _interactions(world, year)
    known = np.flatnonzero(np.diff(data.indptr) >= 5)
    liking = {}
    for name in ("popular", "item_knn", "ease"):
        lists = algorithms.get(name)().fit(data).recommend(known, 6)
        items = getattr(lists, "items", lists[0] if isinstance(lists, tuple) else lists)
        found = np.asarray(items)
        liking[name] = np.take_along_axis(world.liking[known], np.maximum(found, 0), axis=1).mean()

    assert liking["ease"] > liking["popular"] + 0.15
    assert liking["item_knn"] > liking["popular"] + 0.15
    assert liking["ease"] > 0.75  # the best items of everyone would reach nearly 1


def _simulate(world, outcomes, rng):
    """Value per customer, drawn from chances; money of an order is exponential around its expectation."""
    base = rng.random(len(outcomes.base)) < outcomes.base
    extra = rng.random(len(outcomes.extra)) < outcomes.extra
    own = truth.order_value(world)
    added = np.divide(
        outcomes.value - outcomes.base * own, outcomes.extra, out=np.zeros_like(own), where=outcomes.extra > 0
    )
    money = rng.exponential(size=(2, len(own)))
    return base * own * money[0] + extra * added * money[1]


def test_intervals_of_simulated_experiments_cover_the_true_effect_about_as_often_as_they_say(world):
    """200 experiments at 95 %: fewer than 180 or more than 199 hits have a chance below 0.2 %."""
    everyone = np.ones(len(world.customers), dtype=bool)
    told = truth.with_message(world, truth.Messages(truth.best_items(world), everyone, everyone))
    silent = truth.without_message(world)
    true_effect = (told.value - silent.value).mean()
    hits = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        treated = rng.random(len(everyone)) < 0.5
        values = np.where(treated, _simulate(world, told, rng), _simulate(world, silent, rng))
        groups = [values[~treated], values[treated]]
        control, treatment = (Mean(len(g), float(g.sum()), float((g**2).sum())) for g in groups)
        effect = compare(control, treatment)
        low, high = effect.absolute_ci
        hits += low <= true_effect <= high

    assert 180 <= hits <= 199


def test_the_expected_value_of_the_truth_is_what_simulation_gives_on_average(world):
    everyone = np.ones(len(world.customers), dtype=bool)
    told = truth.with_message(world, truth.Messages(truth.best_items(world), everyone, everyone))
    rng = np.random.default_rng(1)
    means = [_simulate(world, told, rng).mean() for _ in range(300)]

    error = np.std(means) / np.sqrt(len(means))
    assert abs(np.mean(means) - told.value.mean()) < 4 * error


def test_customers_look_at_what_they_like(world, year):
    viewed = year.kind == Kind.VIEWED

    assert world.liking[year.customer[viewed], year.item[viewed]].mean() > 0.7
