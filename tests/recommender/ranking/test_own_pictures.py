"""Of several pictures the one like what the customer liked, by a network whose answer is the color."""

from datetime import timedelta

import pytest
from django.utils import timezone
from PIL import Image

from campaigns.items.picks import ItemTexts, items_of, pictures_for
from personalization.catalog.models import Item
from personalization.customers.models import Customer
from personalization.events.services import NewEvent, record_events
from recommender.models import PictureVector
from recommender.ranking import own_pictures
from recommender.ranking.own_pictures import FIRST, LIKED, addresses_of, choose_pictures, encode_due
from tests.recommender.algorithms.onnx_file import write_mean_encoder

pytest.importorskip("onnxruntime")
pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    settings.IMAGE_ENCODER = str(write_mean_encoder(tmp_path / "e.onnx", ["n", 3, 8, 8], axes=(2, 3)))
    for name in ("red", "blue", "green"):
        Image.new("RGB", (16, 16), name).save(tmp_path / f"{name}.png")
    rows = {
        "rose": ("red", []), "sky": ("blue", []), "leaf": ("green", []),
        "shirt": ("green", ["/media/red.png", "/media/blue.png"]),
        "plain": ("green", []),
    }  # fmt: skip
    items = {
        name: Item.objects.create(
            external_id=name, name=name, image_url=f"/media/{first}.png", attributes={"images": more}
        )
        for name, (first, more) in rows.items()
    }
    assert encode_due() == len(rows) and encode_due() == 0
    return items


@pytest.fixture
def customers(shop):
    now = timezone.now()
    names = {"warm": ["rose"], "cold": ["sky", "sky", "rose"], "new": []}
    made = {name: Customer.objects.create(external_id=name, created_at=now) for name in names}
    record_events(
        [
            NewEvent(
                made[name].pk, f"{name}-{n}", "Order Line", now - timedelta(days=n + 1), item_id=shop[item].pk
            )
            for name, items in names.items()
            for n, item in enumerate(items)
        ]
    )
    return made


def test_everybody_sees_the_picture_that_is_like_what_they_liked(shop, customers):
    items = [shop["shirt"].pk, shop["plain"].pk]
    found = choose_pictures({one.pk: items for one in customers.values()})
    shirt = shop["shirt"].pk
    assert {name: found[one.pk] for name, one in customers.items()} == {
        "warm": {shirt: ("/media/red.png", LIKED)},
        "cold": {shirt: ("/media/blue.png", LIKED)},
        "new": {shirt: ("/media/green.png", FIRST)},
    }


def test_templates_get_the_address_and_the_reason(shop, customers):
    picks = {
        customers["warm"].pk: [(shop["shirt"].pk, "model", None, ""), (shop["plain"].pk, "model", None, "")]
    }
    pictures = pictures_for(picks)[customers["warm"].pk]
    shirt, plain = ItemTexts(items_of(picks)).of(picks[customers["warm"].pk], "en", pictures)
    assert (shirt["image_url"], shirt["image_reason"]) == ("/media/red.png", LIKED)
    assert plain["image_url"] == "/media/green.png" and "image_reason" not in plain


def test_without_a_network_nothing_is_asked(shop, customers, settings, django_assert_num_queries):
    settings.IMAGE_ENCODER = ""
    with django_assert_num_queries(0):
        assert choose_pictures({customers["warm"].pk: [shop["shirt"].pk]}) == {} and encode_due() == 0


def test_only_pictures_that_changed_are_encoded_again(shop, monkeypatch, tmp_path):
    encoded = []
    real = own_pictures._vector
    monkeypatch.setattr(
        own_pictures, "_vector", lambda path, encoder: encoded.append(path.name) or real(path, encoder)
    )
    shirt = shop["shirt"]
    shirt.attributes["images"] = ["/media/red.png", "/media/missing.png", "https://example.com/far.png"]
    shirt.save()
    assert encode_due() == 1 and encoded == []
    rows = PictureVector.objects.filter(item=shirt).order_by("place")
    assert [(row.url.rpartition("/")[2], bool(row.vector)) for row in rows] == [
        ("green.png", True), ("red.png", True), ("missing.png", False), ("far.png", False),
    ]  # fmt: skip
    (tmp_path / "broken.png").write_bytes(b"no picture")
    shirt.image_url = "/media/broken.png"
    shirt.save()
    assert encode_due() == 1 and encoded == ["broken.png"]
    assert not PictureVector.objects.get(item=shirt, place=0).vector


@pytest.mark.parametrize(
    ("images", "found"),
    [
        (["/b", "/a", "/b"], ["/a", "/b"]),
        ("/b| /c |", ["/a", "/b", "/c"]),
        ({"x": 1}, ["/a"]),
        ([1, None, "/b"], ["/a", "/b"]),
        (None, ["/a"]),
        ([f"/{n}" for n in range(99)], ["/a", *(f"/{n}" for n in range(9))]),
    ],
)
def test_addresses_come_as_a_list_or_a_text(images, found):
    assert addresses_of(Item(image_url="/a", attributes={"images": images})) == found
