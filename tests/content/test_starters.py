"""The messages to begin with say whole sentences to everybody, with and without recommended items."""

from typing import Any

import pytest

from personalization.content.accessibility import check_accessibility
from personalization.content.messages import compile_message
from personalization.content.starters import Starter, starters

ITEM = {
    "name": "Bowl",
    "url": "https://shop.example/b",
    "image_url": "",
    "price": 5,
    "currency": "EUR",
    "reason": "",
}
STARTERS = starters()


def subject_line(source: str, **values: Any) -> str:
    return compile_message(subject=source, body="-").render(values).subject


@pytest.mark.parametrize("language", ["en", "zh", ""])
@pytest.mark.parametrize("items", [[], [ITEM]], ids=["nothing recommended", "an item"])
@pytest.mark.parametrize("starter", STARTERS, ids=lambda one: one.key)
def test_no_line_begins_with_what_belongs_behind_a_word(
    starter: Starter, items: list[dict[str, Any]], language: str
) -> None:
    customer = {"first_name": "Ann", "language": language}
    for source in (starter.subject, starter.preheader):
        line = subject_line(source, customer=customer, items=items) if source else "-"
        assert line
        assert line[0] not in ",，.;:"


def test_the_preview_text_names_the_first_item() -> None:
    english = subject_line(STARTERS[0].preheader, customer={"language": "en"}, items=[ITEM])
    assert english == "Bowl, and more that suits you"
    assert subject_line(STARTERS[0].preheader, customer={"language": "zh"}, items=[]) == "还有更多好物等着您"


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("starter", STARTERS, ids=lambda one: one.key)
def test_nobody_is_given_hints_about_a_message_that_we_wrote(starter: Starter, language: str) -> None:
    message = compile_message(subject=starter.subject, body=starter.body)
    shown = message.render(
        {
            "customer": {"first_name": "Ann", "language": language},
            "items": [ITEM],
            "unsubscribe_url": "https://shop.example/u",
        }
    )
    assert check_accessibility(shown.html) == []
    assert f'<html lang="{language}"' in shown.html
