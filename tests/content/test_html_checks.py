"""Hints about a message's HTML read what the author wrote."""

from personalization.content.html_checks import check_html
from personalization.content.messages import compile_message
from personalization.content.starters import starters


def hints(body: str) -> list[str]:
    compiled = compile_message(subject="News", body=body)
    found = [problem.message for problem in check_html(compiled, subject="News")]
    return [hint for hint in found if hint.startswith("Pictures")]


def test_a_picture_with_an_address_of_values_has_its_width():
    image = "{{ items.first.image_url }}"
    wide = f'<p>Tea</p><img src="{image}" alt="Tea" width="200">'
    assert hints(wide) == []
    [hint] = hints(wide.replace(' width="200"', ""))
    assert "without a width: 1" in hint


def test_our_own_starters_give_no_hints():
    for starter in starters():
        assert hints(starter.body) == []
