# ruff: noqa: E501
"""What a text may say: only what is given. Each line is a statement and what is wrong with it."""

import pytest

from campaigns.suggestions.facts import Facts
from campaigns.suggestions.numerals import figures, readings
from campaigns.suggestions.templating import split, wrong_placeholders

GIVEN = [
    "Our winter picks for you",
    "20 % off everything until 24 December 2026, 18:00",
    "Aurora Lamp", "Nordlys", "49.90 EUR",
]  # fmt: skip
FACTS = Facts(GIVEN, known_names=["Moka Pot", "Nordlys"])
TRUE = [
    "20% off until December 24", "Now 20 % off: the Aurora Lamp for €49.90", "八折优惠", "百分之二十优惠",
    "twenty percent off", "截止12月24日18点", "十二月二十四日", "Ends Thursday at 6 pm", "Until 24.12.2026",
    "2026-12-24", "Winter picks by Nordlys, 49,90 €", "欧元49.90", "Hello there, our picks", "You may like these",
    "一件小礼", "Our Winter Picks For You Are Here", "“Aurora Lamp”", "Picks of 2026", "２０％ off",
]  # fmt: skip
FALSE = {
    "25% off": "percent", "２５％ off": "percent", "7折": "percent", "八五折": "percent", "百分之三十": "percent",
    "5‰ more": "percent", "thirty percent off": "percent", "$49.90": "money", "€49.99": "money", "49元": "money",
    "Only 9 dollars": "money", "USD 5": "money", "€1.299,00": "money", "31 December": "date", "12/25/2026": "date",
    "2026-12-31": "date", "December 24, 2027": "date", "12月25日": "date", "in January": "date",
    "at 19:00": "time", "at 5 pm": "time", "晚上8点": "time", "3 left": "number", "三件": "number",
    "a dozen picks": "number", "five ideas": "number", "٣ picks": "number", "③ picks": "number",
    "100k customers": "number", "5万人": "number", "Free shipping": "claim", "免费": "claim", "half price": "claim",
    "Ends Friday": "claim", "仅限今天": "claim", "Money-back": "claim", "买一送一": "claim", "see evil.com": "link",
    "https://evil.example/x": "link", "javascript:alert(1)": "link", "JAVASCRIPT : alert(1)": "link",
    "www.shop.cn": "link", "write to a@b.com": "link", "Hi Anna, look": "name", "亲爱的王芳": "name",
    "the Moka Pot is here": "name", "picks chosen by Beatrice": "name", "“Solstice” is here": "name", "《极光》": "name",
}  # fmt: skip


@pytest.mark.parametrize("text", TRUE)
def test_what_is_given_may_be_said_in_other_words(text: str) -> None:
    assert FACTS.problems(text) == []


@pytest.mark.parametrize(("text", "kind"), FALSE.items())
def test_what_is_not_given_is_found(text: str, kind: str) -> None:
    assert kind in {found for found, _words in FACTS.problems(text)}


def test_a_percentage_is_no_price_and_a_price_no_percentage() -> None:
    facts = Facts(["10 % off", "5 EUR"])
    assert {kind for kind, _ in facts.problems("10 EUR, 5 %")} == {"money", "percent"}


def test_nothing_given_allows_words_alone() -> None:
    assert Facts([]).problems("Something new for you") == []
    assert Facts([]).problems("50 new things") == [("number", "50")]


def test_separators_of_both_kinds_are_read() -> None:
    # 1,299.00 = 1.299,00 = 1 299,00; 1.299 may be either
    assert {*map(str, readings("1,299.00"))} == {*map(str, readings("1.299,00"))} == {"1299.00"}
    assert {*map(str, readings("1.299"))} == {"1.299", "1299"}
    assert {*map(str, readings("1 299,5"))} == {"1299.5"}


def test_figures_are_told_apart() -> None:
    found = figures("3 lamps at $5, 10 % off until 2 May 2027 at 9:30")
    assert [kind for kind, _words, _readings in found.found] == ["date", "time", "percent", "money", "number"]


def test_a_text_of_digits_ends_in_time() -> None:
    assert len(Facts(GIVEN).problems("1.1," * 700 + "a." * 700)) > 0


NAME = '{{ customer.first_name | default: "friend" }}'
SOURCE = "Hi " + NAME + ", {% if customer.traits.gold %}gold{% endif %} picks"
ALLOWED = [
    "Hello " + NAME, 'Hi {{customer.first_name|default:"朋友"}}！', "No placeholder at all",
    "{% if customer.traits.gold %}Gold{% endif %} for " + NAME,
]  # fmt: skip
FORBIDDEN = [
    "{{ customer.email }}", "{{ customer }}", "{% for i in (1..99999) %}{% endfor %}", "{% include 'x' %}",
    "{{ customer.first_name }}", "{{ 'a' | append: 'b' }}", "{% assign x = 1 %}", "{% raw %}{{ x }}{% endraw %}",
    "{% if customer.traits.gold %}Gold", "{% endif %}", "{{ customer.first_name | default: \"{{ x }}\" }}",
    "}} {{", "{{ unclosed", "{% connected_content \"x\" as y %}", "{%- skip_customer -%}",
    "{% if customer.traits.gold %}{% if customer.traits.gold %}{% endif %}{% endif %}", "{# x #}",
    '{{ customer.first_name | default: "<script>" }}', "{{ customer.first_name | default: \"friend\" | date }}",
]  # fmt: skip


@pytest.mark.parametrize("text", ALLOWED)
def test_placeholders_of_the_source_may_stay_or_go(text: str) -> None:
    assert wrong_placeholders(text, source=SOURCE, offered=[]) == []


@pytest.mark.parametrize("text", FORBIDDEN)
def test_liquid_that_nobody_allowed_is_found(text: str) -> None:
    assert wrong_placeholders(text, source=SOURCE, offered=[]) != []


def test_the_words_of_a_default_are_looked_at_too() -> None:
    assert split('Hi {{ customer.first_name | default: "Anna" }}')[1].endswith("Anna")
