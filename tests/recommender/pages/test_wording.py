from datetime import UTC, datetime

import pytest

from recommender import algorithms
from recommender.models import ModelRun
from recommender.pages import advice, wording
from recommender.pages.training_form import TrainingForm


@pytest.mark.parametrize("name", algorithms.names())
def test_every_algorithm_says_what_it_is_good_for(name):
    assert name in advice.ADVICE, f"add {name} to ADVICE in recommender/pages/advice.py, in plain words"


@pytest.mark.parametrize("name", algorithms.names())
def test_every_algorithm_can_be_trained_from_the_form_at_its_defaults(name):
    shown = TrainingForm(initial={"algorithm": name})
    given = {field.html_name: field.value() for field in shown.parameter_fields}
    posted = {key: value for key, value in given.items() if value not in (None, False)}
    form = TrainingForm({"algorithm": name, "metric": "ndcg"} | posted)
    assert form.is_valid(), form.errors
    assert form.kwargs["parameters"] == {}


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.334, "1 in 3"), (0.79, "4 in 5"), (0.5, "1 in 2"), (0.06, "1 in 17"), (0.0008, "1 in 1,250"),
        (0.97, "97 in 100"), (1.0, "100 in 100"), (0.0, "0 in 100"),
    ],
)  # fmt: skip
def test_shares_are_said_as_people_say_them(share, words):
    assert wording.one_in(share) == words


def run_with(difference, low, high, against="ease #4", **fields):
    found = {"against": against, "metric": "ndcg", "difference": difference, "low": low, "high": high}
    return ModelRun(
        pk=9, algorithm="als", metrics={"difference": {**found, "n_users": 2134}}, metric="ndcg",
        promoted_at=datetime(2026, 5, 3, tzinfo=UTC), **fields,
    )  # fmt: skip


def test_a_decision_names_the_other_model_as_people_know_it():
    better = wording.decision(run_with(0.021, 0.01, 0.032))
    assert better.startswith("Better than EASE (item to item, closed form) #4")
    assert "+0.021 [+0.010, +0.032] over 2,134 customers" in better
    assert wording.decision(run_with(-0.021, -0.03, -0.01, "popular")).startswith("Worse than Most popular")
    assert "may be chance" in wording.decision(run_with(0.001, -0.01, 0.012))
    stored = ModelRun(metrics={"decision": "Not promoted: it rained."})
    assert wording.decision(stored) == "Not promoted: it rained."
    assert wording.decision(ModelRun()) == ""


def test_why_a_model_serves_depends_on_its_evidence():
    run = run_with(0.05, 0.04, 0.06, "popular")
    run.metrics |= {"n_users": 2134, "own": {"ndcg": {"value": 0.214, "low": 0.2, "high": 0.23}}}
    run.metrics["popular"] = {"ndcg": {"value": 0.164, "low": 0.15, "high": 0.18}}
    assert wording.why_it_serves(run) == (
        "ALS (matrix factorization) #9 serves, promoted on 3 May 2026. "
        "NDCG@20 is 0.214 [0.200, 0.230], 30 % above the most popular items, judged on 2,134 customers."
    )
    run.metrics["difference"] |= {"low": -0.01}
    assert "not surely different from the most popular items" in wording.why_it_serves(run)
    run.metrics = {}
    assert "could not be judged yet" in wording.why_it_serves(run)


def test_a_persons_reason_stands_as_it_was_written():
    by_hand = run_with(0.1, 0.05, 0.15, promoted_by="user:anna", promoted_reason="spring")
    assert wording.promotion(by_hand) == "Promoted by user:anna: spring"
    by_itself = run_with(0.1, 0.05, 0.15, promoted_by="system", promoted_reason="raw")
    assert wording.promotion(by_itself).startswith("Promoted by itself, on its evidence. Better than")
