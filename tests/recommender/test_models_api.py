from datetime import timedelta
from unittest.mock import patch

import pytest
from django.test import Client
from django.utils import timezone

from personalization.access.models import Scope
from personalization.access.services import create_key
from recommender import services, tasks
from recommender.models import ModelRun

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/models"


def with_scopes(*scopes):
    _, token = create_key(name="shop", scopes=scopes)
    return Client(headers={"authorization": f"Bearer {token}"})


@pytest.fixture
def program():
    return with_scopes(Scope.MODELS_READ, Scope.MODELS_WRITE)


def send(client, address, **body):
    return client.post(address, body, content_type="application/json")


def trained():
    run = services.train(algorithm="popular")
    services.run_training(run.pk)
    return run


def test_a_training_is_started_and_watched(program, shop, django_capture_on_commit_callbacks):
    with (
        patch.object(tasks.train_model, "delay") as delay,
        django_capture_on_commit_callbacks(execute=True),
    ):
        answer = send(program, ADDRESS, algorithm="popular", metric="recall", repeats=True)
    assert answer.status_code == 202, answer.content
    queued = answer.json()
    delay.assert_called_once_with(queued["id"])
    assert (queued["status"], queued["metric"], queued["repeats"]) == ("queued", "recall", True)
    services.run_training(queued["id"])
    found = program.get(f"{ADDRESS}/{queued['id']}").json()
    assert (found["status"], found["progress_share"]) == ("done", 1.0)
    assert found["metrics"]["own"]["ndcg"]["low"] is not None
    assert [one["id"] for one in program.get(ADDRESS).json()["results"]] == [queued["id"]]


def test_auto_is_the_default(program, db):
    with patch.object(tasks.train_model, "delay"):
        assert send(program, ADDRESS).json()["algorithm"] == "auto"
    assert ModelRun.objects.get().budget_seconds == 60


def test_a_training_that_waits_is_canceled_once(program, shop):
    run = services.train(algorithm="popular")
    answer = program.post(f"{ADDRESS}/{run.pk}/cancel")
    assert (answer.status_code, answer.json()["status"]) == (200, "canceled")
    assert not services.run_training(run.pk), "nobody begins it any more"
    assert program.post(f"{ADDRESS}/{run.pk}/cancel").status_code == 409
    assert with_scopes(Scope.MODELS_READ).post(f"{ADDRESS}/{run.pk}/cancel").status_code == 403


def test_how_long_a_training_will_still_take_is_told(program, db):
    run = services.train(algorithm="popular")
    assert program.get(f"{ADDRESS}/{run.pk}").json()["seconds_left"] is None
    began = timezone.now() - timedelta(seconds=100)
    ModelRun.objects.filter(pk=run.pk).update(status="running", started_at=began, progress_share=0.5)
    assert 100 <= program.get(f"{ADDRESS}/{run.pk}").json()["seconds_left"] <= 110


def test_a_champion_is_promoted_and_rolled_back_once(program, shop):
    first, second = trained(), trained()
    for run in (first, second):
        answer = send(program, f"{ADDRESS}/{run.pk}/promote", reason="to try")
        assert answer.json()["is_champion"] and answer.json()["promoted_reason"] == "to try"
    back = send(program, f"{ADDRESS}/{second.pk}/rollback", reason="worse")
    assert back.json()["id"] == first.pk and back.json()["is_champion"]
    again = send(program, f"{ADDRESS}/{second.pk}/rollback", reason="worse")
    assert again.status_code == 409
    assert send(program, f"{ADDRESS}/{first.pk}/rollback", reason="worse").status_code == 409


def test_a_senseless_wish_is_answered_with_the_reason(program, db):
    assert send(program, ADDRESS, algorithm="astrology").status_code == 422
    assert "popular" in send(program, ADDRESS, algorithm="astrology").json()["detail"]
    assert send(program, ADDRESS, metric="beauty").json()["errors"][0]["pointer"] == "/metric"
    assert send(program, f"{ADDRESS}/99/promote", reason="hope").status_code == 404
    queued = services.train(algorithm="popular")
    assert send(program, f"{ADDRESS}/{queued.pk}/promote", reason="hope").status_code == 409
    assert send(program, f"{ADDRESS}/{queued.pk}/promote").status_code == 400


def test_reading_and_writing_need_their_scopes(db):
    reader = with_scopes(Scope.MODELS_READ)
    assert reader.get(ADDRESS).status_code == 200
    assert send(reader, ADDRESS).status_code == 403
    assert send(reader, f"{ADDRESS}/1/promote", reason="x").status_code == 403
    assert with_scopes(Scope.RECOMMENDATIONS).get(ADDRESS).status_code == 403
