"""Hints for those who do not see well; ratios of contrast by hand from WCAG's own examples."""

import pytest

from personalization.content.accessibility import check_accessibility, contrast, read_color


def hints(body: str, *, lang: str = "en") -> list[str]:
    return [p.message for p in check_accessibility(f'<html lang="{lang}"><body>{body}</body></html>')]


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    # #767676 on white is the lightest gray that passes 4.5:1, #777777 the first that does not (WebAIM).
    [((0, 0, 0), (255, 255, 255), 21.0), ((118,) * 3, (255,) * 3, 4.54), ((119,) * 3, (255,) * 3, 4.48)],
)  # fmt: skip
def test_contrast_is_that_of_wcag(one: tuple[int, ...], other: tuple[int, ...], ratio: float) -> None:
    assert contrast(one, other) == pytest.approx(ratio, abs=0.005)  # type: ignore[arg-type]


def test_colors_are_read_as_mail_writes_them() -> None:
    assert read_color("#FFF") == read_color("white") == read_color("rgb(255, 255,255)") == (255, 255, 255)
    assert read_color("var(--x)") is None and read_color("rgb(300,0,0)") is None


def test_a_readable_message_gets_no_hint() -> None:
    assert (
        hints('<h1>Sale</h1><p><img src="a" alt="A jar">Now</p><a href="x"><img src="b" alt="Jars"></a>')
        == []
    )


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ('<img src="a">', "alternative text"),
        ('<a href="x"><img src="b" alt=""></a>', "cannot name"),
        ('<a href="x">Click here!</a>', "do not say where"),
        ('<a href="x">点击这里</a>', "do not say where"),
        ("<h1>a</h1><h3>b</h3>", "skips a level"),
        ("<table><tr><td>x</td></tr></table>", "presentation"),
        ('<p style="font-size:9px">x</p>', "12 px"),
        ('<p style="color:#777">x</p>', "hardly differs"),
        ('<div style="background:#333"><p style="color:#000">x</p></div>', "hardly differs"),
    ],
)
def test_what_cannot_be_read_is_told(body: str, word: str) -> None:
    found = hints(body)
    assert len(found) == 1 and word in found[0]


def test_what_cannot_be_told_is_not_judged() -> None:
    assert hints('<div style="background:url(x.png)"><p style="color:#fff">x</p></div>') == []
    assert hints('<p style="color:#767676">x</p><p style="color:#949494;font-size:24px">large</p>') == []
    assert hints('<div style="display:none;color:#fff">preview</div>') == []


def test_a_missing_language_is_told_and_broken_html_harms_nothing() -> None:
    assert len(hints("x", lang="und")) == 1
    assert check_accessibility("<p <<b></i></p></p><img" + "<div>" * 5000)
