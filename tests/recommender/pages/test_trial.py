from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from personalization.access.models import User
from personalization.customers.models import Customer
from recommender import services
from recommender.models import ModelRun, RunStatus

pytestmark = pytest.mark.django_db
BASE = "/app/recommender/"
START = datetime(2026, 1, 1, tzinfo=UTC)


def staff(*codenames):
    user, _ = User.objects.get_or_create(username="anna", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def client(db):
    return staff("view_modelrun", "view_customer", "view_personal_data", "view_event")


def trained(algorithm):
    run = services.train(algorithm=algorithm)
    services.run_training(run.pk)
    run.refresh_from_db()
    assert run.status == RunStatus.DONE, run.error
    return run


def text(client, path, **data):
    answer = client.get(BASE + path, data)
    assert answer.status_code == 200
    return answer.content.decode()


def test_customers_are_found_by_name_address_or_id(client, shop):
    Customer.objects.filter(external_id="c7").update(first_name="Mia <i>", last_name="Lund")
    for words in ("mia lund", "c7@shop", "c7"):
        found = client.post(f"{BASE}try/customers", {"q": words}).content.decode()
        assert "Mia &lt;i&gt; Lund" in found and "customer=" in found
    nobody = client.post(f"{BASE}try/customers", {"q": "zoe"})
    assert "Nobody begins with these words" in nobody.content.decode()
    # Names and addresses have no place in addresses of pages.
    assert client.get(f"{BASE}try/customers", {"q": "mia"}).status_code == 405


def test_the_history_stands_beside_each_models_list_champion_first(client, shop):
    popular = trained("popular")
    champion = trained("item_knn")
    page = text(client, "try/", customer=shop[0][0].pk)
    assert "bought" in page and "looked at" in page and "Item " in page
    assert page.index(f"rc-column-{champion.pk}") < page.index(f"rc-column-{popular.pk}")
    unseen = staff("view_modelrun", "view_customer", "view_personal_data")
    assert "You may not see events." in text(unseen, "try/", customer=shop[0][0].pk)


def test_a_list_gives_the_reason_of_each_item(client, shop):
    run, customer = trained("item_knn"), shop[0][0]
    column = text(client, f"try/{run.pk}/{customer.pk}")
    assert column.count("data-item=") == 8 and "Because of Item " in column
    only = text(client, f"try/{run.pk}/{customer.pk}", bought="only")
    bought = {f'data-item="{event.item_id}"' for event in customer.events.filter(name="Order Line")}
    assert all(mark in only for mark in bought) and only.count("data-item=") == len(bought)


def test_rules_that_cannot_be_are_said_once(client, shop):
    run, customer = trained("popular"), shop[0][0]
    assert "less than the lowest" in text(client, "try/", customer=customer.pk, price_min=9, price_max=2)
    assert "less than the lowest" in text(client, f"try/{run.pk}/{customer.pk}", price_min=9, price_max=2)
    assert text(client, f"try/{run.pk}/{customer.pk}", price_min=4, price_max=5).count("data-item=") <= 2


def test_a_customer_without_history_gets_popular_items_and_is_told_so(client, shop):
    newcomer = Customer.objects.create(external_id="new", created_at=START)
    run = trained("item_knn")
    assert "has no history with items yet" in text(client, "try/", customer=newcomer.pk)
    column = text(client, f"try/{run.pk}/{newcomer.pk}")
    assert "knows nothing about this customer" in column and "Popular, not personal" in column


def test_a_model_whose_file_is_missing_says_so(client, shop, own_models):
    run, customer = trained("ease"), shop[0][0]
    (own_models / run.artifact).unlink()
    page = text(client, "try/", customer=customer.pk)
    assert "file of this model is not on this machine" in page and f"try/{run.pk}/" not in page
    assert "missing or damaged" in text(client, f"try/{run.pk}/{customer.pk}")
    assert "Its file is missing on this machine" in text(client, "")
    (own_models / run.artifact).write_bytes(b"no model")
    assert "missing or damaged" in text(client, f"try/{run.pk}/{customer.pk}")


def test_an_algorithm_that_is_gone_is_no_error(client, shop):
    run = trained("popular")
    ModelRun.objects.filter(pk=run.pk).update(algorithm="forgotten")
    assert "forgotten" in text(client, f"{run.pk}/") and "forgotten" in text(client, "")


def test_somebody_at_random_has_a_history(client, shop):
    for n in range(5):
        Customer.objects.create(external_id=f"late{n}", created_at=START)
    answer = client.get(f"{BASE}try/", {"customer": "any", "bought": "allow"})
    assert answer.status_code == 302 and "bought=allow" in answer["Location"]
    page = client.get(answer["Location"]).content.decode()
    assert "has no history" not in page


def test_without_a_model_the_page_says_so(client, shop):
    services.train(algorithm="ease")
    assert "No finished model yet" in text(client, "try/", customer=shop[0][0].pk)
    assert "Choose a customer" in text(client, "try/")


def test_a_customer_that_is_no_number_or_nobody_is_not_found(client, shop):
    assert client.get(f"{BASE}try/", {"customer": "99999999"}).status_code == 404
    assert "Choose a customer" in text(client, "try/", customer="x")
