import pytest
from django.test import Client

from personalization.access.models import User
from personalization.access.services import create_key
from personalization.catalog.models import Item

pytestmark = pytest.mark.django_db


def test_the_catalog_shows_pictures_but_no_script_addresses():
    Item.objects.create(external_id="1", name="Tea", image_url="/media/tea.png", categories=["Food", "Tea"])
    Item.objects.create(external_id="2", name="Evil", image_url="javascript:alert(1)")
    client = Client()
    client.force_login(User.objects.create_superuser("boss", password="x"))
    page = client.get("/admin/catalog/item/").content.decode()
    assert 'src="/media/tea.png"' in page
    assert "Food › Tea" in page
    assert "javascript:alert" not in page


def test_items_are_listed_over_the_api():
    Item.objects.create(external_id="1", name="Tea", price="4.50")
    token = create_key(name="shop", scopes=["recommendations"])[1]
    answer = Client(headers={"Authorization": f"Bearer {token}"}).get("/api/v1/items")
    assert [(row["external_id"], row["price"]) for row in answer.json()["results"]] == [("1", "4.50")]
    assert Client().get("/api/v1/items").status_code == 401
