from unittest.mock import patch

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from personalization.access.models import User
from recommender import services, tasks
from recommender.models import ModelRun

pytestmark = pytest.mark.django_db
LIST = "/admin/recommender/modelrun/"


@pytest.fixture
def run(shop):
    run = services.train(algorithm="ease", parameters={"regularization": 20.0})
    services.run_training(run.pk)
    run.refresh_from_db()
    return run


def staff(*codenames):
    user = User.objects.create_user("anna", password="x", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_modelrun", *codenames]))
    client = Client()
    client.force_login(user)
    return client


def test_the_list_shows_models_with_intervals_and_the_champion(run):
    page = staff().get(LIST).content.decode()
    assert f"#{run.pk}" in page and "Serves now" in page
    ndcg = run.metrics["own"]["ndcg"]
    assert f"{ndcg['value']:.3f} ({ndcg['low']:.3f} … {ndcg['high']:.3f})" in page
    assert "roll-back" not in page


def test_a_model_shows_its_evidence_and_nothing_to_edit(run):
    page = staff("change_modelrun").get(f"{LIST}{run.pk}/change/").content.decode()
    assert "Catalog coverage" in page and run.promoted_reason.split(",")[0] in page
    assert 'name="algorithm"' not in page
    assert f"/{run.pk}/promote" in page


def test_training_is_started_by_those_who_may(run, django_capture_on_commit_callbacks):
    assert staff().get(f"{LIST}train/").status_code == 403
    User.objects.all().delete()
    client = staff("add_modelrun")
    form = client.get(f"{LIST}train/").content.decode()
    assert 'value="als"' in form
    with patch.object(tasks.train_model, "delay") as delay, django_capture_on_commit_callbacks(execute=True):
        answer = client.post(f"{LIST}train/", {"algorithm": "item_knn", "_form_submitted": "on"})
    new = ModelRun.objects.get(algorithm="item_knn")
    delay.assert_called_once_with(new.pk)
    assert answer.status_code == 302 and answer["Location"] == f"{LIST}{new.pk}/change/"


def test_promoting_asks_for_permission_and_a_reason(run):
    other = services.train(algorithm="popular")
    services.run_training(other.pk)
    address = f"{LIST}{other.pk}/promote/"
    assert staff("add_modelrun").post(address, {"reason": "x", "_form_submitted": "on"}).status_code == 403
    User.objects.all().delete()
    client = staff("change_modelrun")
    client.post(address, {"reason": "", "_form_submitted": "on"})
    other.refresh_from_db()
    assert not other.is_champion
    answer = client.post(
        address, {"reason": "season start", "_form_submitted": "on"}, headers={"hx-request": "true"}
    )
    other.refresh_from_db()
    assert other.is_champion and other.promoted_reason == "season start" and other.promoted_by == "user:anna"
    assert answer["HX-Redirect"] == f"{LIST}{other.pk}/change/"
    client.post(f"{LIST}roll-back/", {"reason": "worse", "_form_submitted": "on"})
    run.refresh_from_db()
    assert run.is_champion
