"""From the catalog's rows and files to what the content-based models read."""

from decimal import Decimal

import numpy as np
import pytest
from PIL import Image

from personalization.catalog.models import Item
from recommender.inputs.features import load_features, with_catalog
from recommender.inputs.interactions import load_events

pytestmark = pytest.mark.django_db


@pytest.fixture
def media(tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.MEDIA_ROOT.mkdir()
    settings.SITE_URL = "https://shop.example"
    return settings.MEDIA_ROOT


def test_an_item_is_its_words_its_categories_and_its_price():
    tea = Item.objects.create(
        external_id="1", name="Green tea", description="From Hangzhou", categories=["Food", "Tea"],
        brand="Longjing", price=Decimal("4.50"), translations={"zh": {"name": "绿茶"}},
    )  # fmt: skip
    bare = Item.objects.create(external_id="2", name="Mug")
    features = load_features([bare.pk, tea.pk, 10**9])
    assert list(features.texts) == ["Mug", "Green tea\nFrom Hangzhou\n绿茶", ""]
    assert list(features.tags) == [[], ["Food", "Tea", "brand: Longjing"], []]
    assert features.numbers["price"].tolist()[1] == 4.5
    assert np.isnan(features.numbers["price"][[0, 2]]).all()
    assert features.images == () and features.encoder is None
    features.check(3)


def test_no_items_have_no_features():
    load_features([]).check(0)


def test_pictures_are_read_from_the_media_folder_and_nowhere_else(media, tmp_path):
    Image.new("RGB", (640, 320), "red").save(media / "red one.png")
    Image.new("RGB", (8, 8), "blue").save(tmp_path / "secret.png")
    addresses = [
        "/media/red%20one.png",
        "https://shop.example/media/red%20one.png",
        "https://elsewhere.example/red%20one.png",
        "/media/../secret.png",
        "/media/%2e%2e/secret.png",
        "/media/missing.png",
        "",
    ]
    items = [
        Item.objects.create(external_id=str(at), name="x", image_url=address)
        for at, address in enumerate(addresses)
    ]
    images = load_features([item.pk for item in items]).images
    assert [image is not None for image in images] == [True, True, False, False, False, False, False]
    assert images[0].shape == (32, 64, 3) and images[0][0, 0].tolist() == [255, 0, 0]


def test_a_picture_that_cannot_be_read_costs_only_itself(media):
    Image.new("RGB", (64, 64), "red").save(media / "whole.png")
    (media / "half.png").write_bytes((media / "whole.png").read_bytes()[:60])
    (media / "text.png").write_text("no picture")
    items = [
        Item.objects.create(external_id=name, name="x", image_url=f"/media/{name}")
        for name in ("half.png", "whole.png", "text.png")
    ]
    images = load_features([item.pk for item in items]).images
    assert [image is not None for image in images] == [False, True, False]


def test_items_that_nobody_took_yet_are_added_to_the_events(shop):
    first = load_events()
    new = Item.objects.create(external_id="new", name="New")
    Item.objects.create(external_id="hidden", name="Hidden", is_hidden=True)
    wide = with_catalog(first)
    assert wide.item_ids.tolist() == [*first.item_ids.tolist(), new.pk]
    assert wide.log.shape == (first.log.shape[0], first.log.shape[1] + 1)
    assert np.array_equal(wide.item_ids[wide.log.items], first.item_ids[first.log.items])
    assert np.array_equal(wide.customer_ids, first.customer_ids)
