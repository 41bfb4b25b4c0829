"""Pictures are looked at once, found again however they were saved, and harmful files harm once at most."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from personalization.catalog import looking, videos
from personalization.catalog.likeness import look_of, nearest
from personalization.catalog.models import Item, ItemPicture
from personalization.catalog.pictures import Trouble
from personalization.catalog.selectors import items


def scene(seed, size=(400, 300)):
    """Some shapes in some colors, as unlike as product pictures are."""
    random = np.random.default_rng(seed)
    image = Image.new("RGB", size, tuple(int(c) for c in random.integers(120, 256, 3)))
    drawing = ImageDraw.Draw(image)
    for _ in range(6):
        x, y = random.integers(0, size[0]), random.integers(0, size[1])
        w, h = random.integers(30, 160, 2)
        drawing.ellipse([x, y, x + w, y + h], fill=tuple(int(c) for c in random.integers(0, 256, 3)))
    return image


@pytest.fixture
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def make_item(media, db):
    def make(name, image=None, **more):
        if image is not None:
            image.save(media / name, **more)
        return Item.objects.create(external_id=name, name=name, image_url=f"/media/{name}")

    return make


def test_the_same_scene_is_found_however_it_was_saved_and_another_one_is_not():
    looks = [look_of(scene(seed)) for seed in range(40)]
    steps = np.array([one.steps for one in looks])
    colors = np.frombuffer(b"".join(one.colors for one in looks), dtype=np.uint8).reshape(-1, 48)
    changed = {
        "smaller": lambda image: image.resize((200, 150)),
        "sharper": lambda image: image.filter(ImageFilter.SHARPEN),
        "blurred": lambda image: image.filter(ImageFilter.GaussianBlur(2)),
    }
    for change in changed.values():
        found = [nearest(look_of(change(scene(seed))), steps, colors) for seed in range(40)]
        assert found == list(range(40))
    for seed in range(40):
        others = np.arange(40) != seed
        assert nearest(looks[seed], steps[others], colors[others]) is None


def test_flat_pictures_of_unlike_colors_are_not_the_same():
    red, blue = (look_of(Image.new("RGB", (90, 90), color)) for color in ("red", "blue"))
    assert red.steps == blue.steps
    assert nearest(red, np.array([blue.steps]), np.frombuffer(blue.colors, np.uint8).reshape(1, 48)) is None


def test_the_first_picture_of_its_kind_stands_for_all_that_are_nearly_the_same(make_item):
    first = make_item("a.png", scene(1))
    second = make_item("b.jpg", scene(1).resize((200, 150)), quality=40)
    make_item("c.png", scene(2))
    third = make_item("d.webp", scene(1))
    assert looking.look_at_due() == 4
    assert looking.look_at_due() == 0
    found, total = looking.groups()
    assert ([[one.pk for one in group] for group in found], total) == (
        [[first.pk, second.pk, third.pk]], 1,
    )  # fmt: skip


def test_a_picture_that_was_replaced_is_compared_anew_with_all_that_were_like_it(make_item, media):
    first, second = make_item("a.png", scene(1)), make_item("b.png", scene(1))
    looking.look_at_due()
    scene(3).save(media / "a.png")
    first.save()
    assert [looking.look_at_due() for _ in range(3)] == [1, 1, 0]
    assert looking.groups() == ([], 0)
    assert ItemPicture.objects.get(item=second).steps is not None


def test_what_cannot_be_read_is_said_and_the_others_are_looked_at(make_item, media):
    (media / "cut.jpg").write_bytes(b"\xff\xd8\xff\xe0" + b"\0" * 50)
    cut = make_item("cut.jpg")
    bomb = make_item("bomb.png", Image.new("1", (9_000, 9_000)))
    far = Item.objects.create(external_id="far", name="far", image_url="https://example.com/a.jpg")
    fine = make_item("fine.png", scene(5))
    looking.look_at_due()
    errors = {one.item_id: one.error for one in ItemPicture.objects.all()}
    assert (errors[cut.pk], errors[bomb.pk]) == (Trouble.BROKEN, Trouble.TOO_LARGE)
    assert errors[far.pk] == errors[fine.pk] == ""
    assert ItemPicture.objects.get(item=fine).steps is not None


def test_a_file_that_kills_its_reader_is_not_read_again(make_item, monkeypatch):
    item = make_item("a.png", scene(1))

    def die(*args, **kwargs):
        raise SystemExit

    monkeypatch.setattr(looking, "open_small", die)
    with pytest.raises(SystemExit):
        looking.look_at_due()
    assert looking.look_at_due() == 0
    assert ItemPicture.objects.get(item=item).error == Trouble.UNFINISHED


@pytest.fixture
def film(media):
    av = pytest.importorskip("av")
    path = media / "film.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
        for number in range(40):
            pixels = np.full((96, 160, 3), (number * 6, 40, 120), dtype=np.uint8)
            for packet in stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path


def test_a_video_gets_a_preview_of_frames_spread_over_it(film, db, media, settings):
    item = Item.objects.create(external_id="v", name="V", attributes={"video_url": "/media/film.mp4"})
    looking.look_at_due()
    preview = items([item.pk])[item.pk]["preview_url"]
    assert preview.startswith(f"{settings.SITE_URL}/media/previews/{item.pk}-")
    with Image.open(media / preview.partition("/media/")[2]) as image:
        assert image.size == (160, 96) and image.info["loop"] == 0
        assert 1 < image.n_frames <= videos.FRAMES and image.info["duration"] == videos.FRAME_MILLISECONDS
        reds = []
        for frame in range(image.n_frames):
            image.seek(frame)
            reds.append(image.convert("RGB").getpixel((80, 48))[0])
    assert reds == sorted(reds) and reds[-1] - reds[0] > 60


def test_a_video_that_is_too_long_to_read_or_none_says_so(film, media, monkeypatch):
    monkeypatch.setattr(videos, "SECONDS", -1.0)
    with pytest.raises(videos.UnreadablePicture, match="too_slow"):
        videos.key_frames(film)
    monkeypatch.setattr(videos, "MAX_BYTES", 10)
    with pytest.raises(videos.UnreadablePicture, match="too_large"):
        videos.key_frames(film)
    (media / "none.mp4").write_bytes(b"no video")
    with pytest.raises(videos.UnreadablePicture, match="broken"):
        videos.key_frames(media / "none.mp4")


def test_the_page_shows_what_is_there_twice_and_what_cannot_be_read(make_item, media, admin_client):
    for name in ("a.png", "b.png"):
        make_item(name, scene(1))
    (media / "cut.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    make_item("cut.jpg")
    looking.look_at_due()
    page = admin_client.get("/app/catalog/pictures/?page=x").content.decode()
    assert page.count('<img src="/media/a.png"') == 1 == page.count('<img src="/media/b.png"')
    assert "It is no picture or video, or is cut off." in page
