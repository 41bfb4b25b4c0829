from unittest.mock import patch

import pytest
from django.db import connection

from personalization.access.models import AuditEntry
from recommender import algorithms, selectors, services, tasks
from recommender.errors import PromotionError, TrainingEnded, TrainingError
from recommender.models import ModelRun, RunStatus
from recommender.training import run as training

pytestmark = pytest.mark.django_db


def trained(algorithm, **parameters):
    run = services.train(algorithm=algorithm, parameters=parameters, actor="user:anna")
    assert services.run_training(run.pk)
    run.refresh_from_db()
    return run


def test_a_personal_model_that_beats_popular_becomes_champion(shop, own_models):
    run = trained("ease", regularization=20.0)
    assert (run.status, run.error, run.progress) == (RunStatus.DONE, "", "")
    assert run.is_champion and run.promoted_by == "system"
    assert run.promoted_reason == run.metrics["decision"]
    difference = run.metrics["difference"]
    assert difference["against"] == "popular" and difference["low"] > 0
    for metric in ("ndcg", "recall", "hit_rate", "coverage"):
        found = run.metrics["own"][metric]
        assert 0 <= found["low"] <= found["value"] <= found["high"] <= 1
    assert (run.n_users, run.n_items, run.n_interactions) == (120, 30, 1200)
    assert run.data_from < run.data_until
    assert [file.name for file in own_models.iterdir()] == [run.artifact]
    assert AuditEntry.objects.filter(action="model.promoted", target=f"model:{run.pk}").exists()


def test_popular_does_not_beat_itself(shop):
    run = trained("popular")
    assert run.status == RunStatus.DONE and not run.is_champion
    assert "not above zero" in run.metrics["decision"]


def test_a_challenger_is_judged_against_the_champion(shop):
    first = trained("ease", regularization=20.0)
    same = trained("ease", regularization=20.0)
    assert not same.is_champion and "same recipe" in same.metrics["decision"]
    other = trained("popular")
    assert not other.is_champion
    assert other.metrics["difference"]["against"] == f"ease #{first.pk}"
    assert other.metrics["difference"]["high"] < 0
    first.refresh_from_db()
    assert first.is_champion


def test_a_failed_run_says_why_and_leaves_the_champion(shop):
    champion = trained("ease", regularization=20.0)
    run = trained("ease", memory_limit_mib=0)
    assert run.status == RunStatus.FAILED
    assert "of memory" in run.error and not run.artifact
    assert selectors.champion() == champion


def test_without_events_there_is_nothing_to_learn(db):
    run = trained("popular")
    assert run.status == RunStatus.FAILED and "no events" in run.error


def test_training_twice_is_training_once(shop):
    run = trained("popular")
    finished_at = run.finished_at
    assert not services.run_training(run.pk)
    run.refresh_from_db()
    assert (run.attempts, run.finished_at) == (1, finished_at)


def test_a_waiting_training_that_was_canceled_is_not_begun(shop):
    run = services.train(algorithm="popular")
    services.cancel(run, actor="user:anna")
    assert not services.run_training(run.pk)
    run.refresh_from_db()
    assert (run.status, run.started_at) == (RunStatus.CANCELED, None)
    assert run.pk not in selectors.waiting_run_ids()
    assert AuditEntry.objects.get(action="model.canceled").actor == "user:anna"
    with pytest.raises(TrainingEnded):
        services.cancel(run, actor="user:anna")


@pytest.mark.parametrize("step", ["compare", "_fit"])
def test_a_training_that_is_canceled_under_way_leaves_nothing(shop, own_models, step):
    run = services.train(algorithm="ease", parameters={"regularization": 20.0})
    carry_out = getattr(training, step)

    def canceled_meanwhile(*given, **more):
        found = carry_out(*given, **more)
        services.cancel(run, actor="user:anna")
        return found

    with patch.object(training, step, canceled_meanwhile):
        assert services.run_training(run.pk)
    run.refresh_from_db()
    assert (run.status, run.artifact, run.is_champion) == (RunStatus.CANCELED, "", False)
    assert list(own_models.glob("*")) == []


def test_a_run_whose_worker_died_starts_over_but_not_for_ever(shop):
    run = services.train(algorithm="popular")
    ModelRun.objects.filter(pk=run.pk).update(status=RunStatus.RUNNING, attempts=1)
    services.run_training(run.pk)
    run.refresh_from_db()
    assert (run.status, run.attempts) == (RunStatus.DONE, 2)
    ModelRun.objects.filter(pk=run.pk).update(status=RunStatus.RUNNING, attempts=services.MAX_ATTEMPTS)
    services.run_training(run.pk)
    run.refresh_from_db()
    assert run.status == RunStatus.FAILED and "several times" in run.error


def test_one_training_of_an_algorithm_at_a_time(shop):
    run = services.train(algorithm="popular")
    with services._training_lock("popular") as first, services._training_lock("ease") as other:
        assert first and other
        assert not services.run_training(run.pk)
    run.refresh_from_db()
    assert run.status == RunStatus.QUEUED and selectors.waiting_run_ids() == [run.pk]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database"
            " WHERE locktype = 'advisory' AND classid = %s AND datname = current_database()",
            [7301],
        )
        assert cursor.fetchone()[0] == 0


def test_the_task_starts_what_waits_when_it_is_done(shop):
    first, second = (services.train(algorithm="popular") for _ in range(2))
    with patch.object(tasks.train_model, "delay") as delay:
        tasks.train_model(first.pk)
        delay.assert_called_once_with(second.pk)
        delay.reset_mock()
        tasks.train_model(first.pk)
        delay.assert_not_called()


def test_a_person_can_promote_and_go_back_step_by_step(shop):
    runs = [trained("popular") for _ in range(3)]
    for run in runs:
        services.promote(run, actor="user:anna", reason="to try")
    assert services.roll_back(actor="user:ben", reason="worse") == runs[1]
    assert services.roll_back(actor="user:ben", reason="still worse") == runs[0]
    assert selectors.champion() == runs[0]
    with pytest.raises(PromotionError):
        services.roll_back(actor="user:ben", reason="worse")
    assert ModelRun.objects.filter(is_champion=True).count() == 1


def test_a_model_that_was_not_trained_cannot_serve(shop):
    with pytest.raises(PromotionError):
        services.promote(services.train(algorithm="als"), actor="user:anna", reason="hope")


@pytest.mark.parametrize(
    "wrong",
    [
        {"algorithm": "astrology"},
        {"algorithm": "als", "parameters": {"magic": 1}},
        {"algorithm": "als", "parameters": {"factors": -1}},
        {"algorithm": "als", "event_weights": {}},
        {"algorithm": "als", "event_weights": {"Order Line": 0}},
    ],
)
def test_a_senseless_training_is_refused_at_once(db, wrong):
    with pytest.raises(TrainingError):
        services.train(**wrong)
    assert not ModelRun.objects.exists()


def test_the_champion_that_changed_meanwhile_stays(shop):
    earlier = trained("popular")
    run = services.train(algorithm="ease", parameters={"regularization": 20.0})
    fit = algorithms.get("ease").fit

    def promote_meanwhile(self, *args, **options):
        services.promote(earlier, actor="user:anna", reason="meanwhile")
        return fit(self, *args, **options)

    with patch.object(algorithms.get("ease"), "fit", promote_meanwhile):
        services.run_training(run.pk)
    run.refresh_from_db()
    assert not run.is_champion and "changed while" in run.metrics["decision"]
    assert selectors.champion() == earlier
