from decimal import Decimal

import pytest

from personalization.catalog import selectors
from personalization.catalog.models import Item

pytestmark = pytest.mark.django_db


def test_a_template_gets_the_item_in_the_customers_language():
    tea = Item.objects.create(
        external_id="tea", name="Tea", description="Green.", price=Decimal("4.50"),
        translations={"zh": {"name": "茶", "description": ""}},
    )  # fmt: skip
    item = selectors.items([tea.pk, 0])[tea.pk]
    assert selectors.localized(item, "zh-Hans-CN")["name"] == "茶"
    assert selectors.localized(item, "zh-Hans-CN")["description"] == "Green."
    assert selectors.localized(item, "fr")["name"] == "Tea"
    assert item["price"] == Decimal("4.50")


def test_hidden_items_and_items_out_of_stock_are_not_recommended():
    shown = Item.objects.create(external_id="1", name="untracked")
    stocked = Item.objects.create(external_id="2", name="stocked", stock=3)
    Item.objects.create(external_id="3", name="sold out", stock=0)
    Item.objects.create(external_id="4", name="hidden", is_hidden=True)
    assert selectors.recommendable_ids() == [shown.pk, stocked.pk]
