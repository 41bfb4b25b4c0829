"""`blank` is what Liquid's reference implementation says: nothing, null, false, empty and white space."""

import pytest

from personalization.content.language import TEXT


@pytest.mark.parametrize(
    ("value", "is_blank"),
    [
        (None, True),
        (False, True),
        ("", True),
        (" \n", True),
        ([], True),
        ({}, True),
        (0, False),
        ("x", False),
        (True, False),
    ],
)
def test_blank_is_as_in_the_reference(value, is_blank):
    """Ruby on Rails' `blank?`, which Shopify's Liquid asks."""
    for source in (
        "{% if x == blank %}1{% endif %}",
        "{% unless x != blank %}1{% endunless %}",
        "{% if blank == x and true %}1{% endif %}",
    ):
        assert TEXT.from_string(source).render_values({"x": value}) == ("1" if is_blank else ""), source


def test_a_value_that_is_missing_is_blank_wherever_it_is_asked():
    name = "{% elsif customer.first_name == blank %}you{% else %}{{ customer.first_name }}{% endif %}"
    source = "{% for n in (1..2) %}{% if n == 3 %}" + name + "{% endfor %}"
    assert TEXT.from_string(source).render_values({"customer": {}}) == "youyou"
    assert TEXT.from_string(source).render_values({"customer": {"first_name": "Ada"}}) == "AdaAda"
