"""Pictures with a customer's words: an address nobody can read or make, and words of any length."""

import io
import re
from datetime import UTC, datetime

import numpy as np
import pytest
import time_machine
from django.test import Client
from PIL import Image, ImageFont

from personalization.content import fonts
from personalization.content.drawing import draw
from personalization.content.errors import RenderError
from personalization.content.fragments import compile_fragment
from personalization.content.messages import compile_message
from personalization.content.worded_picture import MAX_WORDS, WordedPicture, clean_words, read_worded_picture

END = int(datetime(2026, 12, 24, 18, tzinfo=UTC).timestamp())


def address(wishes="", *, words="Hello {{ customer.first_name }}", **customer):
    body = (
        "{% capture words %}" + words + "{% endcapture %}"
        '<img src="{{ words | picture: width: 300, height: 100' + wishes + ' }}" alt="{{ words }}">'
    )
    html = compile_fragment(body).render({"customer": {"first_name": "Anna", **customer}})
    return re.search(r'src="([^"]*)"', html)[1]


def token_of(url):
    return url.rpartition("/")[2].rpartition(".")[0]


def pixels(drawn):
    with Image.open(io.BytesIO(drawn)) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def inked(picture):
    """Rows and columns in which something else than the background stands."""
    is_ink = (np.abs(pixels(draw(picture, now=0)) - 255) > 90).any(axis=2)
    return np.flatnonzero(is_ink.any(axis=1)), np.flatnonzero(is_ink.any(axis=0))


def test_the_address_names_what_is_drawn_and_nobody_can_read_it():
    url = address(", color: '#B91C1C', align: 'left', size: 20", first_name="Ümit & O'Neil")
    found = read_worded_picture(token_of(url))
    assert found == WordedPicture(300, 100, "Hello Ümit & O'Neil", 20, "b91c1c", "ffffff", "", "left", 0)
    assert "Neil" not in url and url == address(
        ", color: '#B91C1C', align: 'left', size: 20", first_name="Ümit & O'Neil"
    )


def test_nothing_but_our_own_address_is_drawn():
    token = token_of(WordedPicture(300, 100, "Hi").url)
    changed = [token[:n] + ("A" if token[n] != "A" else "B") + token[n + 1 :] for n in range(len(token) - 1)]
    for one in [*changed, token + "AAAA", "é", "", "!", "A" * 3_000]:
        assert read_worded_picture(one) is None
    assert Client().get("/t/p/AAAA.png").status_code == 404


@pytest.mark.parametrize(
    "wishes",
    [
        ", size: 4", ", size: 'x'", ", color: 'red'", ", align: 'top'", ", until: 'soon'", ", nonsense: 1",
        ", image: 'https://example.com/a.jpg'", ", image: '/media/../../etc/passwd'", ", size: 1e9",
        ", until: '0001-01-01T00:00'",
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_fails_the_message(wishes):
    with pytest.raises(RenderError, match="picture"):
        address(wishes)


def test_without_words_there_is_no_address():
    assert address(words="{{ customer.nickname }}") == ""


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("a\u202eb\u200bc\ufeff", "abc"),
        ("a\0\x1b[31mb\tc", "a[31mb c"),
        ("  one \r\n\n two\u2028three ", "one\ntwo\nthree"),
        ("x" * 5_000, "x" * (MAX_WORDS - 1) + "…"),
        ("\n".join("abcdefghij"), "a\nb\nc\nd\ne\nf\ng\nh"),
        ("e\u0301", "é"),
        (None, ""),
        (12.5, "12.5"),
    ],
)
def test_hostile_words_are_cut_and_never_fail(given, kept):
    assert clean_words(given) == kept


def test_the_longest_words_still_make_an_address_that_mail_takes():
    hard = "".join(chr(0x4E00 + 7 * n) for n in range(MAX_WORDS))
    assert len(WordedPicture(1200, 1200, hard, 160, image="/media/" + "a" * 200, ends_at=END).url) < 1_900


def test_words_stay_inside_however_long_they_are():
    for words in ("Hi", "word " * 60, "W" * 300, "\n".join("ABCDEFGH")):
        rows, columns = inked(WordedPicture(300, 100, words, 90))
        assert rows.min() > 0 and rows.max() < 99 and columns.min() > 0 and columns.max() < 299
    assert pixels(draw(WordedPicture(16, 16, "W" * 300, 160), now=0)).shape == (16, 16, 3)


def test_where_the_words_stand_is_the_authors_to_say():
    middles = [
        np.mean(inked(WordedPicture(300, 100, "Hi", 20, align=align))[1])
        for align in ("left", "center", "right")
    ]
    assert middles[0] < 50 and middles[1] == pytest.approx(150, abs=4) and middles[2] > 250


def test_a_font_that_has_the_letters_is_taken_and_letters_of_no_font_are_left_out(tmp_path, settings):
    """Two fonts with Latin letters here; whichever CJK font the system has does not matter."""
    assert fonts.drawable("Anna \U0010fffd") == "Anna "
    has_chinese = any(fonts._has(path, "春") for path in fonts._font_paths())
    assert clean_words("Anna 春") == ("Anna 春" if has_chinese else "Anna")
    if has_chinese:
        assert isinstance(fonts.font_for("春节快乐", 20), ImageFont.FreeTypeFont)
        assert fonts.font_for("春节快乐", 20).path != fonts.font_for("Anna", 20).path


def test_a_picture_of_the_shop_stands_behind_and_one_that_is_broken_gives_way(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    Image.new("RGB", (400, 400), "#2040a0").save(tmp_path / "hero.jpg")
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 cut off")
    url = address(", image: '/media/hero.jpg'")
    assert url.endswith(".jpg")
    found = read_worded_picture(token_of(url))
    assert pixels(draw(found, now=0))[0, 0] == pytest.approx([0x20, 0x40, 0xA0], abs=6)
    broken = WordedPicture(300, 100, "Hi", background="fff7ed", image="/media/broken.jpg")
    assert pixels(draw(broken, now=0))[0, 0] == pytest.approx([0xFF, 0xF7, 0xED], abs=6)


def test_what_is_left_until_a_moment_is_drawn_anew_and_all_else_is_kept(db):
    path = WordedPicture(300, 100, "Until", ends_at=END).url.partition("/t/")[2]
    answers = []
    for second in (0, 1):
        with time_machine.travel(datetime(2026, 12, 24, 17, 0, second, tzinfo=UTC), tick=False):
            answers.append(Client().get(f"/t/{path}"))
    assert answers[0].content != answers[1].content and answers[0]["Cache-Control"] == "no-store"
    still = Client().get("/t/" + WordedPicture(300, 100, "Anna").url.partition("/t/")[2])
    assert still.status_code == 200 and still["Content-Type"] == "image/png"
    assert still["Cache-Control"] == "public, max-age=86400"
    assert still.content == draw(WordedPicture(300, 100, "Anna"), now=0)


def test_versions_of_the_picture_at_the_top_may_be_tried_against_each_other():
    one = '<img src="https://shop.example/sea.jpg" width="600" height="200" alt="The sea">'
    two = '<img src="{{ customer.first_name | picture: width: 600 }}" width="600" height="200" alt="Hi">'
    body = f'<p>{{% vary "hero" learn: true %}}{one}{{% or %}}{two}{{% endvary %}}</p>'
    (need,) = compile_message(subject="s", body=body).needs
    assert (need.kind, need.name) == ("vary", "hero")
