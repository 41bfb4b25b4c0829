import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from personalization.access.models import User
from recommender import services

pytestmark = pytest.mark.django_db
LIST = "/admin/recommender/modelrun/"


@pytest.fixture
def run(shop):
    run = services.train(algorithm="ease", parameters={"regularization": 20.0})
    services.run_training(run.pk)
    run.refresh_from_db()
    return run


@pytest.fixture
def client(db):
    user = User.objects.create_user("anna", password="x", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_modelrun"))
    client = Client()
    client.force_login(user)
    return client


def test_the_list_shows_models_with_intervals_and_the_champion(client, run):
    page = client.get(LIST).content.decode()
    assert f'<a href="/app/recommender/{run.pk}/">' in page and "Serves now" in page
    ndcg = run.metrics["own"]["ndcg"]
    assert f"{ndcg['value']:.3f} [{ndcg['low']:.3f}, {ndcg['high']:.3f}]" in page


def test_one_training_has_its_own_page(client, run):
    answer = client.get(f"{LIST}{run.pk}/change/")
    assert answer.status_code == 302 and answer["Location"] == f"/app/recommender/{run.pk}/"
    assert client.get(f"{LIST}add/").status_code == 403
