import numpy as np
import pytest

from recommender import algorithms
from recommender.evaluation import Log, held_split, leave_last_out, ratio_split, time_split
from recommender.evaluation.judging import judge
from recommender.evaluation.tuning import candidates, suggested, tune, validation_split


def two_tastes(n_users=60, seed=2):
    random = np.random.default_rng(seed)
    rows = [
        (user, 2 * item + user % 2, 1_000 * place + user)
        for user in range(n_users)
        for place, item in enumerate(random.permutation(15)[:8])
    ]
    users, items, times = (np.array(column) for column in zip(*rows, strict=True))
    return Log(users, items, np.ones(len(users), np.float32), times, (n_users, 30))


@pytest.mark.parametrize("make", [time_split, leave_last_out, ratio_split])
def test_the_validation_slice_holds_nothing_of_what_is_judged_later(make):
    split = make(two_tastes())
    inner = validation_split(split)
    assert inner.name == split.name
    outer_test = set(zip(split.test_log.users, split.test_log.items, strict=True))
    seen = {
        pair for log in (inner.train_log, inner.test_log) for pair in zip(log.users, log.items, strict=True)
    }
    assert not seen & outer_test
    assert len(inner.train_log) + len(inner.test_log) == len(split.train_log)


def test_tuning_finds_the_personal_model_and_better_parameters():
    split = ratio_split(two_tastes())
    found = tune(["popular", "ease"], split, seconds=4, k=5)
    assert found.algorithm == "ease"
    assert [trial.algorithm for trial in found.trials[:2]] == ["popular", "ease"]
    assert found.trials[1].parameters == {}
    assert found.value == max(trial.value for trial in found.trials)
    assert found.value > found.trials[0].value


def test_parameters_that_are_given_stay():
    found = tune(["als"], ratio_split(two_tastes()), seconds=3, parameters={"factors": 4})
    assert {trial.parameters["factors"] for trial in found.trials} == {4}


def test_the_time_is_kept_and_the_first_try_finished_anyway():
    found = tune(["ease", "als"], ratio_split(two_tastes()), seconds=1e-6)
    assert found.algorithm == "ease"
    assert [trial.value is None for trial in found.trials] == [False, True]


def test_what_cannot_be_tried_is_told_and_passed_over():
    found = tune(
        ["ease", "popular"], ratio_split(two_tastes()), seconds=2, parameters={"memory_limit_mib": 0}
    )
    assert found is None
    with pytest.raises(ValueError, match="no metric"):
        tune(["ease"], ratio_split(two_tastes()), seconds=1, metric="beauty")


def test_what_auto_chooses_from_exists_and_is_cheap():
    assert {"popular", "ease", "als", "item_knn"} <= set(candidates(new_only=True)) <= set(algorithms.names())
    assert set(candidates(new_only=True)) <= set(candidates(new_only=False))


def test_every_search_space_can_be_asked_and_its_values_are_accepted():
    optuna = pytest.importorskip("optuna")
    for name in algorithms.names():
        kind = algorithms.get(name)
        trial = optuna.create_study().ask()
        kind(**{key: suggested(trial, key, choice) for key, choice in kind.search_space.items()})


def test_an_algorithm_that_fails_says_why_and_takes_no_other_along():
    split = ratio_split(two_tastes())
    failed = judge("ease", [split], parameters={"memory_limit_mib": 0})
    assert "of memory" in failed.error and failed.ranking is None
    assert "no algorithm" in judge("astrology", [split]).error
    heard = []
    fine = judge("ease", [split, split], k=5, progress=heard.append)
    assert fine.error == "" and fine.ranking.metrics["ndcg"].value > 0.2
    assert heard[-1] == 1.0 and heard == sorted(heard)


def test_folds_are_judged_as_one():
    log = two_tastes()
    first = np.arange(len(log)) % 2 == 0
    splits = [held_split("a", log, first), held_split("b", log, ~first)]
    both, one = judge("ease", splits, k=5).ranking, judge("ease", splits[:1], k=5).ranking
    assert len(both.users) == 60
    assert both.metrics["coverage"].low is None and one.metrics["coverage"].low is not None
