from unittest.mock import patch

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from personalization.access.models import AuditEntry, User
from personalization.events.models import Event
from recommender import services, tasks
from recommender.models import ModelRun, RunStatus

pytestmark = pytest.mark.django_db
BASE = "/app/recommender/"


def staff(*codenames):
    user, _ = User.objects.get_or_create(username="anna", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client = Client()
    client.force_login(user)
    return client


def trained(algorithm, **options):
    run = services.train(algorithm=algorithm, **options)
    services.run_training(run.pk)
    run.refresh_from_db()
    assert run.status == RunStatus.DONE, run.error
    return run


def text(client, path, **data):
    answer = client.get(BASE + path, data)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.fixture
def champion(shop):
    return trained("ease", parameters={"regularization": 20.0})


def test_every_page_asks_who_one_is(champion):
    paths = ["", "live", "which/", "train/", "train/parameters", "try/"]
    paths += [f"{champion.pk}/{part}" for part in ("", "live", "topics")]
    for path in paths:
        assert Client().get(BASE + path).status_code == 302
        assert staff().get(BASE + path).status_code == 403
    reader = staff("view_modelrun")
    for path in ("try/", "train/", f"try/{champion.pk}/1"):
        assert reader.get(BASE + path).status_code == 403
    assert Client().post(f"{BASE}try/customers", {"q": "c1"}).status_code == 302
    for somebody in (staff(), staff("view_modelrun")):
        assert somebody.post(f"{BASE}try/customers", {"q": "c1"}).status_code == 403


def test_who_may_train_may_cancel(shop):
    run = services.train(algorithm="ease")
    reader = staff("view_modelrun")
    assert "Cancel</button>" not in text(reader, f"{run.pk}/")
    assert reader.post(f"{BASE}{run.pk}/cancel").status_code == 403
    trainer = staff("view_modelrun", "add_modelrun")
    assert "Cancel</button>" in text(trainer, f"{run.pk}/live")
    trainer.post(f"{BASE}{run.pk}/cancel")
    assert "This training was canceled" in text(trainer, f"{run.pk}/")
    answer = trainer.post(f"{BASE}{run.pk}/cancel", follow=True)
    assert "This training is over already." in answer.content.decode()


def test_figures_that_a_training_does_not_have_yet_are_a_dash(shop):
    run = services.train(algorithm="ease")
    page = text(staff("view_modelrun"), f"{run.pk}/")
    assert page.count("<td>–</td>") >= 3
    assert "<td>None</td>" not in page


def test_without_events_the_page_says_how_to_load_them(db):
    page = text(staff("view_modelrun"), "")
    assert "There are no events on items yet" in page and "load events FILE" in page


def test_without_models_the_page_says_what_to_do(shop):
    page = text(staff("view_modelrun", "add_modelrun"), "")
    assert "No recommender was trained yet" in page and "Train the first one" in page
    assert "Train the first one" not in text(staff("view_modelrun"), "")


def test_the_champion_stands_in_one_plain_sentence(champion):
    page = text(staff("view_modelrun"), "")
    own = champion.metrics["own"]["ndcg"]
    assert f"#{champion.pk} serves, promoted on" in page
    assert f"NDCG@20 is {own['value']:.3f} [{own['low']:.3f}, {own['high']:.3f}]" in page
    assert "% above the most popular items" in page and "judged on" in page
    assert "Promoted by itself, on its evidence. Better than Most popular:" in page


def test_the_latest_run_of_each_algorithm_is_compared_with_intervals(champion):
    trained("popular")
    failed = services.train(algorithm="item_knn")
    ModelRun.objects.filter(pk=failed.pk).update(status=RunStatus.FAILED, error="<b>no memory</b>")
    page = text(staff("view_modelrun"), "")
    assert "Item neighbors" in page and "&lt;b&gt;no memory&lt;/b&gt;" in page
    assert page.index("EASE") < page.rindex("Most popular") < page.rindex("Item neighbors")
    assert 'id="plot-compared"' in page and '"reference": {"value"' in page
    assert "No recommender was trained for this use yet" in text(staff("view_modelrun"), "", use="again")
    assert staff("view_modelrun").get(BASE, {"metric": "luck"}).status_code == 404


def test_a_running_training_shows_how_far_it_is_and_says_when_it_has_ended(champion):
    run = services.train(algorithm="item_knn")
    ModelRun.objects.filter(pk=run.pk).update(
        status=RunStatus.RUNNING, progress="Training on all events", progress_share=0.42
    )
    client = staff("view_modelrun")
    assert "42 %" in text(client, "live") and f'data-live="{BASE}live?known={run.pk}"' in text(client, "")
    assert "Training on all events" in text(client, f"{run.pk}/")
    assert "HX-Refresh" not in client.get(f"{BASE}live?known={run.pk}")
    ModelRun.objects.filter(pk=run.pk).update(status=RunStatus.DONE)
    assert client.get(f"{BASE}live?known={run.pk}")["HX-Refresh"] == "true"
    assert client.get(f"{BASE}{run.pk}/live")["HX-Refresh"] == "true"


def test_a_run_tells_its_figures_in_plain_words(champion):
    page = text(staff("view_modelrun"), f"{champion.pk}/")
    assert "customers find something in their list of 20 that they then look at or buy" in page
    assert "Of all that a customer went on to look at or buy" in page
    assert champion.artifact_sha256 in page and "Regularization" in page
    assert "Better than Most popular" in page and "Let it serve" not in page
    assert "Topics of interest" not in page


def test_a_failed_run_says_why(shop):
    run = services.train(algorithm="ease")
    ModelRun.objects.filter(pk=run.pk).update(status=RunStatus.FAILED, error="It needs 80 GB <here>")
    page = text(staff("view_modelrun", "change_modelrun"), f"{run.pk}/")
    assert "The training failed." in page and "It needs 80 GB &lt;here&gt;" in page
    assert "Let it serve" not in page


def test_promoting_takes_the_permission_and_a_reason(champion):
    other = trained("popular")
    address = f"{BASE}{other.pk}/promote"
    assert staff("view_modelrun", "add_modelrun").post(address, {"reason": "x"}).status_code == 403
    client = staff("view_modelrun", "change_modelrun")
    assert client.get(address).status_code == 405
    client.post(address, {"reason": " "})
    other.refresh_from_db()
    assert not other.is_champion
    client.post(address, {"reason": "season start"})
    other.refresh_from_db()
    assert other.is_champion and other.promoted_by == "user:anna"
    assert AuditEntry.objects.filter(action="model.promoted", actor="user:anna").exists()
    assert "Promoted by user:anna: season start" in text(client, "")


def test_going_back_names_the_model_before_and_refuses_when_another_serves_meanwhile(champion):
    other = trained("popular")
    services.promote(other, actor="user:bob", reason="by mistake")
    client = staff("view_modelrun", "change_modelrun")
    assert f"#{champion.pk} serves again at once." in text(client, "")
    assert staff("view_modelrun").post(f"{BASE}roll-back", {"from": other.pk}).status_code == 403
    client = staff("view_modelrun", "change_modelrun")
    client.post(f"{BASE}roll-back", {"from": champion.pk})
    other.refresh_from_db()
    assert other.is_champion
    client.post(f"{BASE}roll-back", {"from": other.pk})
    champion.refresh_from_db()
    assert champion.is_champion and champion.promoted_reason == "Rolled back by hand"
    assert AuditEntry.objects.filter(action="model.rolled_back", actor="user:anna").exists()
    assert client.post(f"{BASE}roll-back", {"from": "x"}).status_code == 400


def test_training_shows_defaults_and_leaves_them_out(shop, django_capture_on_commit_callbacks):
    client = staff("view_modelrun", "add_modelrun")
    page = text(client, "train/", algorithm="ease")
    assert 'name="p-regularization" value="250.0"' in page and "Default: 250.0." in page
    assert "Tuning tries 10.0 to 5000.0." in page
    assert 'name="p-factors"' in text(client, "train/parameters", algorithm="als")
    assert "Nothing else has to be chosen" in text(client, "train/parameters", algorithm="auto")
    body = {"algorithm": "ease", "metric": "recall", "use": "again", "budget_seconds": "5"}
    with patch.object(tasks.train_model, "delay") as delay, django_capture_on_commit_callbacks(execute=True):
        client.post(f"{BASE}train/", {**body, "p-regularization": "40", "p-memory_limit_mib": ""})
    run = ModelRun.objects.get()
    delay.assert_called_once_with(run.pk)
    assert run.parameters == {"regularization": 40.0} and run.metric == "recall" and run.repeats
    assert run.budget_seconds == 5
    assert 'value="40.0"' in text(client, "train/", **{"from": run.pk})


def test_a_parameter_that_cannot_be_is_said_beside_its_field(shop):
    client = staff("view_modelrun", "add_modelrun")
    body = {"algorithm": "ease", "metric": "ndcg", "p-regularization": "-1"}
    answer = client.post(f"{BASE}train/", body)
    assert answer.status_code == 422 and "regularization must be positive" in answer.content.decode()
    assert client.post(f"{BASE}train/", {**body, "algorithm": "magic"}).status_code == 422
    assert not ModelRun.objects.exists()


def test_interest_topics_are_shown_by_their_items(shop):
    items = shop[1]
    Event.objects.filter(name="Order Line").update(name="Product Rated", value=4)
    Event.objects.filter(item__in=items[::3], name="Product Rated").update(value=2)
    run = trained("nmf", parameters={"factors": 2, "epochs": 5})
    client = staff("view_modelrun")
    assert f"{BASE}{run.pk}/topics" in text(client, f"{run.pk}/")
    page = text(client, f"{run.pk}/topics")
    assert "Topic 2" in page and "Item " in page
