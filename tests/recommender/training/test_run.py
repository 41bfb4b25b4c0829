"""From events to a judged model: tuning, uses, ratings, going on after a kill, files."""

import sys
from datetime import timedelta
from unittest.mock import patch

import pytest

from personalization.events.services import NewEvent, record_events
from recommender import algorithms, selectors, services
from recommender.errors import TrainingError
from recommender.models import ModelRun, RunStatus
from recommender.training import run as training
from tests.recommender.conftest import START

pytestmark = pytest.mark.django_db


def trained(algorithm, *, parameters=None, **options):
    run = services.train(algorithm=algorithm, parameters=parameters, **options)
    assert services.run_training(run.pk)
    run.refresh_from_db()
    return run


def rate(customers, items, *, start=START):
    record_events(
        [
            NewEvent(
                customer.pk, f"rated-{n}-{at}", "Product Rated",
                start + timedelta(days=(7 * at + 11 * n) % 90),
                item_id=items[at].pk, properties={"rating": 5 if at % 2 == n % 2 else 1},
            )
            for n, customer in enumerate(customers)
            for at in range(n % 3, 30, 3)
        ]
    )  # fmt: skip


def test_auto_finds_a_model_that_beats_popular_and_notes_what_it_tried(shop):
    run = trained("auto", budget_seconds=4)
    assert run.status == RunStatus.DONE, run.error
    assert run.requested == "auto" and run.algorithm in algorithms.names()
    assert run.is_champion and run.metrics["above_popular"]["low"] > 0
    tried = run.tuning["trials"]
    assert {"popular", "ease"} <= {trial["algorithm"] for trial in tried}
    best = max((trial for trial in tried if trial["value"] is not None), key=lambda trial: trial["value"])
    assert (best["algorithm"], best["parameters"]) == (run.algorithm, run.parameters)
    assert selectors.champion() == run


def test_auto_without_anything_better_than_popular_publishes_nothing(shop):
    with patch.object(training, "candidates", lambda new_only: ["popular"]):
        run = trained("auto", budget_seconds=1)
    assert run.algorithm == "popular" and not run.is_champion


def test_one_algorithm_is_tuned_with_what_was_given_kept(shop):
    run = trained("als", parameters={"factors": 8}, budget_seconds=2)
    assert run.parameters["factors"] == 8
    assert run.tuning["value"] == max(trial["value"] for trial in run.tuning["trials"])


def test_each_use_has_a_champion_of_its_own(shop):
    new = trained("ease", parameters={"regularization": 20.0})
    again = trained("repurchase")
    assert again.repeats and not new.repeats
    services.promote(again, actor="user:anna", reason="for the reminders")
    assert selectors.champion() == new
    assert selectors.champion(repeats=True) == again
    later = trained("repurchase", parameters={"recency": 1.0})
    services.promote(later, actor="user:anna", reason="to try")
    assert services.roll_back(actor="user:anna", reason="worse", repeats=True) == again
    assert selectors.champion() == new


def test_the_chosen_metric_decides(shop):
    run = trained("ease", parameters={"regularization": 20.0}, metric="recall")
    assert run.metrics["difference"]["metric"] == "recall"
    assert "Recall@20" in run.metrics["decision"]


def test_the_same_recipe_has_to_prove_itself_on_newer_data(shop):
    first = trained("ease", parameters={"regularization": 20.0})
    ModelRun.objects.filter(pk=first.pk).update(data_until=START + timedelta(days=5))
    run = trained("ease", parameters={"regularization": 20.0})
    assert run.metrics["difference"]["against"] == f"ease #{first.pk}"
    assert run.metrics["difference"]["low"] > 0 and run.is_champion


def test_a_model_of_ratings_learns_from_ratings(shop):
    customers, items = shop
    refused = trained("svd")
    assert refused.status == RunStatus.FAILED
    assert refused.error.startswith("There are no ratings")
    rate(customers, items)
    run = trained("svd")
    assert run.status == RunStatus.DONE, run.error
    assert 0 < run.metrics["ratings"]["rmse"]["value"] < 2
    assert {"ndcg", "coverage"} <= set(run.metrics["own"])


def test_progress_is_written_at_most_once_a_second(shop):
    run = services.train(algorithm="popular")
    hear = training.ProgressNote(run).stage("Training on all events", 0.5, 1.0)
    with patch.object(training.time, "monotonic", side_effect=[0, 0, 10, 10, 10.5]):
        hear = training.ProgressNote(run).stage("Training on all events", 0.5, 1.0)
        hear(0.1)
        hear(0.5)
        hear(0.9)
    run.refresh_from_db()
    assert run.progress_share == 0.75
    done = trained("popular")
    assert (done.progress, done.progress_share) == ("", 1.0)


def test_a_killed_training_goes_on_with_its_choice_and_its_data(shop, own_models):
    """The worker dies in the final fit: what was tuned is not tuned again, later events wait."""
    customers, items = shop
    run = services.train(algorithm="ease", budget_seconds=1)
    with patch.object(training, "_fit", side_effect=SystemExit), pytest.raises(SystemExit):
        services.run_training(run.pk)
    run.refresh_from_db()
    assert run.status == RunStatus.RUNNING
    chosen, until = run.parameters, run.data_until
    record_events(
        [NewEvent(customers[0].pk, "late", "Order Line", until + timedelta(days=9), item_id=items[0].pk)]
    )
    with patch.object(training, "tune", side_effect=AssertionError("tuned again")):
        services.run_training(run.pk)
    run.refresh_from_db()
    assert run.status == RunStatus.DONE, run.error
    assert (run.parameters, run.data_until) == (chosen, until)
    assert [file.name for file in own_models.iterdir()] == [run.artifact]


def test_both_fits_are_given_a_checkpoint_that_is_gone_at_the_end(shop, own_models):
    kind, seen = algorithms.get("ease"), []
    learn = kind._learn

    def spy(self, interactions, what):
        seen.append(what.checkpoint)
        if what.checkpoint:
            what.checkpoint.parent.mkdir(parents=True, exist_ok=True)
            what.checkpoint.write_bytes(b"half")
        learn(self, interactions, what)

    with patch.object(kind, "_learn", spy):
        run = trained("ease")
    assert seen == list(training.checkpoints(run))
    assert [file.name for file in own_models.iterdir()] == [run.artifact]


def test_old_files_of_models_that_never_served_are_dropped(shop, own_models):
    champion = trained("popular")
    services.promote(champion, actor="user:anna", reason="to begin with")
    runs = [trained("popular") for _ in range(5)]
    kept = {champion.artifact, *(run.artifact for run in runs[-services.KEPT_FILES :])}
    assert {file.name for file in own_models.iterdir()} == kept
    runs[0].refresh_from_db()
    assert runs[0].artifact == "" and runs[0].metrics


def test_a_missing_extra_is_named(shop):
    name = next((name for name in algorithms.names() if algorithms.get(name).extra == "deep"), None)
    if name is None:
        pytest.skip("no deep model is registered")
    with patch.dict(sys.modules, {"torch": None}):
        run = trained(name)
    assert run.status == RunStatus.FAILED
    assert "deep" in run.error and "Error:" not in run.error


@pytest.mark.parametrize(
    "wrong",
    [
        {"algorithm": "auto", "parameters": {"factors": 3}},
        {"algorithm": "ease", "metric": "beauty"},
        {"algorithm": "ease", "budget_seconds": 0},
        {"algorithm": "auto", "budget_seconds": 10**6},
    ],
)
def test_a_senseless_wish_is_refused(db, wrong):
    with pytest.raises(TrainingError):
        services.train(**wrong)
