"""`render` and `include`: content blocks that are given values."""

import pytest

from personalization.content.errors import RenderError, TemplateError
from personalization.content.expanding import expand, names_in
from personalization.content.language import HTML, TEXT
from personalization.content.messages import compile_message

CARD = "{{ item.name }}{% if big %}!{% endif %};"


def told(source: str, blocks: dict[str, str] | None = None, **values: object) -> str:
    known = {name: {"": text} for name, text in (blocks or {}).items()}
    return TEXT.from_string(expand(source, known).text).render_values(values)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('{% render "card", item: tea %}', "Tea;"),
        ('{% render "card", item: tea, big: true %}', "Tea!;"),
        ('{% render "card" with tea as item %}', "Tea;"),
        ('{% render "card" for both as item %}', "Tea;Cup;"),
        ('{%- render "card", item: tea -%} .', "Tea;."),
        ('{% assign item = tea %}{% render "card" %}', ";"),
        ('{% assign item = tea %}{% include "card" %}', "Tea;"),
        ('{% include "card" for both as item %}', "Tea;Cup;"),
        ('{% render "sets" %}{{ x }}|{% include "sets" %}{{ x }}', "|1"),
        ('{% render "knows" %}', "Ada"),
        ('{% for one in both %}{% render "card", item: one %}{% endfor %}', "Tea;Cup;"),
        ('{% render "counts" for both %}', "1/2 2/2 "),
    ],
)
def test_values_come_in_and_names_stay_apart_as_in_the_reference(source, expected):
    """Expected by hand from the documentation of Liquid: shopify.github.io/liquid/tags/template."""
    blocks = {
        "card": CARD, "sets": "{% assign x = 1 %}", "knows": "{{ customer.first_name }}",
        "counts": "{{ forloop.index }}/{{ forloop.length }} ",
    }  # fmt: skip
    tea, cup = {"name": "Tea"}, {"name": "Cup"}
    assert told(source, blocks, tea=tea, both=[tea, cup], customer={"first_name": "Ada"}) == expected


def test_a_block_of_mjml_is_given_each_item_and_speaks_the_language_of_the_customer():
    section = "<mj-section><mj-column><mj-text>{{ item.name }} %s</mj-text></mj-column></mj-section>"
    message = compile_message(
        subject="-",
        body='<mjml><mj-body>{% render "card" for items as item %}</mj-body></mjml>',
        blocks={"card": {"": section % "now", "zh": section % "现在"}},
    )
    values = {"items": [{"name": "Tea"}, {"name": "<Cup>"}], "customer": {"language": "zh"}}
    html = message.render(values).html
    assert "Tea 现在" in html and "&lt;Cup&gt; 现在" in html and "mj-text" not in html


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("{% render name %}", "in quotes"),
        ('{% render "none" %}', "no block"),
        ('{% block "card", item: tea %}', "takes no values"),
        ('{% render "includes" %}', "write render here"),
        ('{% render "itself" %}', "in itself"),
    ],
)
def test_what_cannot_be_put_in_is_told(source, words):
    blocks = {"card": CARD, "includes": '{% include "card" %}', "itself": '{% render "itself" %}'}
    with pytest.raises(TemplateError) as caught:
        told(source, blocks)
    assert words in caught.value.problems[0].message


def test_what_a_block_does_burns_the_fuel_of_the_message():
    """A round costs the length of the block: 1,000 rounds of 1,000 characters are too much."""
    blocks = {
        "long": "x" * 1000,
        "loop": "{% for n in (1..900) %}{% for m in (1..900) %}y{% endfor %}{% endfor %}",
    }
    many = list(range(1000))
    with pytest.raises(RenderError, match="too much work"):
        told('{% render "long" for many as one %}', blocks, many=many)
    with pytest.raises(RenderError, match="too much work"):
        told('{% include "long" for many as one %}', blocks, many=many)
    with pytest.raises(RenderError, match="too much work"):
        told('{% render "loop" %}', blocks)


def test_nothing_else_can_be_loaded():
    for source in ('{% render "/etc/passwd" %}', "{% include '../x' %}"):
        with pytest.raises(TemplateError):
            told(source)
    source = '{% render "a", x: 1 %}{% include "b" %}{% block "c" %}{% raw %}{% render "d" %}{% endraw %}'
    assert names_in(source) == {"a", "b", "c"}
    assert HTML.loader is not None
    with pytest.raises(Exception, match="x"):
        HTML.get_template("x")
