# ruff: noqa: E501
"""What is printed again from memory is, to the letter, what would have been made anew."""

from decimal import Decimal

import pytest

from personalization.content.errors import MissingValue, RenderError
from personalization.content.language import FUEL, HTML, TEXT, MessageContext
from personalization.content.messages import compile_message
from personalization.content.missing import Policy
from personalization.content.remembering import FRAGMENTS, LIMIT, Fragments, RememberedBlock

ITEMS = [
    {
        "name": "<script>alert(1)</script>", "url": "javascript:alert(1)", "image_url": "data:text/html,x",
        "price": Decimal("1234.50"), "currency": "EUR", "tags": ["a & b", "{{ customer.email }}"], "color": "red",
    },
    {
        "name": "碗 “O'Neil” \\ ]]> --> \r\n.", "url": "https://shop.example/?a=1&b='2'\"", "image_url": "",
        "price": None, "currency": "GBP", "tags": [], "color": "url(https://evil.example)",
    },
    {"name": "{% raw %}", "url": "//x", "price": Decimal("0.10"), "currency": "", "tags": None, "color": ""},
]  # fmt: skip
PEOPLE = [
    {"first_name": "Ann", "language": "en", "country": "GB"},
    {"first_name": "<b>安</b>", "language": "zh-Hans", "country": "CN"},
    {"first_name": "", "language": "de", "country": None},
]
BODIES = {
    "plain": "{% for i in items %}<a href='{{ i.url }}'>{{ i.name }}</a><img src='{{ i.image_url }}'>{% endfor %}",
    "style": "{% for i in items %}<p style='color: {{ i.color }}'>{{ i.name }}</p>{% endfor %}",
    "money": "{% for i in items %}{{ i.price | money: i.currency }}{{ i.price | number }}, {% endfor %}",
    "place": "{% for i in items %}{{ forloop.index }}/{{ forloop.length }}{% unless forloop.last %},{% endunless %}{% endfor %}",
    "choice": "{% for i in items %}{% if i.price > 1 %}much{% elsif i.price %}little{% else %}free{% endif %}"
    "{% case i.currency %}{% when 'EUR', 'GBP' %}E{% else %}?{% endcase %}{% endfor %}",
    "filters": "{% for i in items %}{{ i.name | upcase | truncate: 12 | append: i.color | default: '-' }} {% endfor %}",
    "limited": "{% for i in items limit: 2 offset: 1 reversed %}{{ i.name }}{% else %}none{% endfor %}",
    # What must not be remembered: it reads or changes something else.
    "customer": "{% for i in items %}{{ customer.first_name }} {{ i.name }}{% endfor %}",
    "chosen by customer": "{% for i in items %}{{ i[customer.language] }}{{ items[0][i.name] }}{% endfor %}",
    "counted": "{% for i in items %}{% increment n %}{% cycle 'a', 'b' %}{% assign x = i.name %}{{ x }}{% endfor %}{{ x }}",
    "stopped": "{% for i in items %}{{ i.name }}{% if i.currency == 'GBP' %}{% break %}{% endif %}{% endfor %}",
    "within": "{% for i in items %}{% for t in i.tags %}{{ t }}{{ i.name }}{{ forloop.parentloop.index }}{% endfor %}{% endfor %}",
    "going on": "{% for i in items limit: 1 %}{{ i.name }}{% endfor %}|{% for i in items offset: continue %}{{ i.price }}{% endfor %}",
    "dates": "{% for i in items %}{{ 'now' | date: '%Y' }}{{ i.name }}{% endfor %}",
    "optional": "{% for i in items %}{% optional %}{{ i.image_url }}!{% endoptional %}{% endfor %}",
}
REMEMBERED = {"plain", "style", "money", "place", "choice", "filters", "limited"}


def values(person: dict[str, object], items: list[dict[str, object]] = ITEMS) -> dict[object, object]:
    return {"customer": person, "items": items}


@pytest.mark.parametrize("name", BODIES)
def test_a_message_from_memory_is_the_message_made_anew(name: str) -> None:
    message = compile_message(subject="S", body=BODIES[name])
    memory = {FRAGMENTS: Fragments()}
    for items in (ITEMS, ITEMS[::-1], ITEMS[1:]):
        for person in PEOPLE * 2:
            given = values(person, items)
            assert message.render({**given, **memory}) == message.render(given)  # type: ignore[dict-item]


@pytest.mark.parametrize("name", BODIES)
def test_only_rounds_that_read_the_item_alone_are_remembered(name: str) -> None:
    *_before, loop = [node for node in HTML.from_string(BODIES[name]).nodes if hasattr(node, "block")]
    assert isinstance(loop.block, RememberedBlock) == (name in REMEMBERED)


def test_a_changed_item_is_told_anew() -> None:
    template, fragments = TEXT.from_string(BODIES["plain"]), Fragments()
    for name in ("Cup", "Mug"):
        printed = template.render_values({"items": [{"name": name}], FRAGMENTS: fragments})  # type: ignore[dict-item]
        assert name in printed


def test_a_value_that_is_missing_is_missing_from_memory_too() -> None:
    body = "{% for i in items %}{{ i.name }}{% endfor %}"
    items, memory = [{"name": ""}], {FRAGMENTS: Fragments()}
    lax = compile_message(subject="S", body=body)
    strict = compile_message(subject="S", body=body, missing=Policy.SKIP_CUSTOMER)
    for _ in range(2):
        lax.html.render_values({"items": items, **memory})  # type: ignore[dict-item]
        with pytest.raises(MissingValue):
            strict.html.render_values({"items": items, **memory}, must_print=True)  # type: ignore[dict-item]
        with pytest.raises(MissingValue):
            lax.html.render_values({"items": items, **memory}, must_print=True)  # type: ignore[dict-item]


def test_work_costs_the_same_from_memory() -> None:
    template, memory = TEXT.from_string(BODIES["filters"]), Fragments()
    spent = []
    for fragments in (None, memory, memory):
        context = MessageContext(template, globals={"items": ITEMS})
        context.fragments = fragments
        for node in template.nodes:
            node.render_to_output(context, context.get_buffer())
        spent.append(FUEL - context.fuel)
    assert spent[0] == spent[1] == spent[2] > 0
    long = TEXT.from_string(
        "{% for a in items %}{% for b in items %}" + "x" * 4000 + "{% endfor %}{% endfor %}"
    )
    with pytest.raises(RenderError, match="too much work"):
        long.render_values({"items": [dict(ITEMS[0]) for _ in range(40)], FRAGMENTS: memory})  # type: ignore[dict-item]


def test_memory_stays_within_its_limit() -> None:
    fragments = Fragments()
    for number in range(LIMIT + 3):
        fragments.put((number,), None, "x", 0)
    assert fragments.get((LIMIT + 2,)) is not None
    assert fragments.get((0,)) is None
