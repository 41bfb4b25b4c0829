import pytest

from personalization.catalog.models import Item
from recommender import services
from tests.recommender.pages.test_trial import staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def champion(shop):
    run = services.train(algorithm="ease")
    services.run_training(run.pk)
    run.refresh_from_db()
    services.promote(run, actor="user:anna", reason="test")
    return run


def test_a_profile_asks_after_it_is_there_for_what_its_customer_would_get(shop, champion):
    customers, _items = shop
    client = staff("view_modelrun", "view_customer", "view_event")
    address = f"/app/recommender/now/{customers[0].pk}"
    assert address in client.get(f"/app/customers/{customers[0].pk}").content.decode()
    part = client.get(address).content.decode()
    assert sum(name in part for name in Item.objects.values_list("name", flat=True)) >= 1
    assert part.count("<li>") == 6


def test_who_may_not_see_customers_is_not_told_what_one_would_get(shop, champion):
    customers, _items = shop
    assert staff("view_modelrun").get(f"/app/recommender/now/{customers[0].pk}").status_code == 403
    client = staff("view_customer", "view_event")
    assert "/app/recommender/now/" not in client.get(f"/app/customers/{customers[0].pk}").content.decode()
