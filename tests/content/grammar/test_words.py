"""Articles, plurals, lists and measure words; expected values are dictionary forms."""

import pytest

from personalization.content.grammar.chinese import in_words, measure
from personalization.content.grammar.english import article, pluralize
from personalization.content.grammar.plurals import is_one, listed


@pytest.mark.parametrize(
    "words",
    [
        "an apple", "a pear", "an hour", "a house", "an honest offer", "an heirloom", "a uniform",
        "a unique gift", "an uninteresting book", "an unimportant thing", "a university", "an umbrella",
        "a user", "a European tour", "a euro", "a one-off deal", "an onesie", "an SMS", "an FAQ",
        "a UFO", "an X-ray", "a T-shirt",
        "an e-book", "an 8-pack", "an 18-piece set", "an 80% discount", "a 100-year guarantee",
        "an 11,000 sqm shop",
        "a 7-day pass", "an élan", "a used bike", "a usual day", "an uncle", "a ukulele", "a yellow dress",
        "an “easy” chair",
    ],
)  # fmt: skip
def test_the_article_goes_by_the_sound(words: str) -> None:
    assert article(words.partition(" ")[2]) == words


def test_nothing_gets_no_article() -> None:
    assert article("  ") == ""


@pytest.mark.parametrize(
    "one, many",
    [
        ("shoe", "shoes"), ("dress", "dresses"), ("box", "boxes"), ("watch", "watches"), ("brush", "brushes"),
        ("scarf", "scarves"), ("Knife", "Knives"), ("accessory", "accessories"), ("toy", "toys"),
        ("child", "children"), ("bus", "buses"), ("canvas", "canvases"), ("lens", "lenses"),
        ("quiz", "quizzes"),
        ("leather shoe", "leather shoes"), ("photo", "photos"), ("tomato", "tomatoes"),
        ("Shoes", "Shoes"), ("Dresses", "Dresses"), ("jeans", "jeans"), ("swimwear", "swimwear"),
        ("bikinis", "bikinis"), ("videos", "videos"), ("women", "women"), ("", ""),
    ],
)  # fmt: skip
def test_a_noun_gets_its_plural_once(one: str, many: str) -> None:
    assert pluralize(one) == many


@pytest.mark.parametrize(
    "number, words",
    [
        (0, "零件"),
        (1, "一件"),
        (2, "两件"),
        (10, "十件"),
        (12, "十二件"),
        (20, "二十件"),
        (99, "九十九件"),
        (128, "128件"),
    ],
)
def test_two_of_something_is_liang(number: int, words: str) -> None:
    assert measure(number, "件") == words


def test_numbers_alone_say_er() -> None:
    assert [in_words(n) for n in (2, 10, 11, 22)] == ["二", "十", "十一", "二十二"]


@pytest.mark.parametrize(
    "language, number, expected",
    [
        ("en", 1, True), ("en", 0, False), ("en", 1.5, False), ("fr", 0, True), ("fr", 1.5, True),
        ("fr", 2, False),
        ("zh", 1, False), ("pl", 1, None),
    ],
)  # fmt: skip
def test_the_word_for_one_by_cldr(language: str, number: float, expected: bool | None) -> None:
    assert is_one(number, language) is expected


def test_words_are_listed_as_in_their_language() -> None:
    assert listed([], "en") == "" and listed(["a"], "en") == "a"
    assert listed(["a", "b", "c"], "en") == "a, b and c"
    assert listed(["茶", "咖啡", "杯"], "zh") == "茶、咖啡和杯"
