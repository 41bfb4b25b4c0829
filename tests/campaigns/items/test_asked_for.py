import pytest

from campaigns.items.asked_for import asks_for_items

LOOP = "{% for item in items %}{{ item.name }}{% endfor %}"


@pytest.mark.parametrize(
    "source",
    [
        "{% if items %}" + LOOP + "{% endif %}",
        "{%- if customer.first_name and items.size > 0 -%}x{% endif %}",
        "{% unless items == empty %}x{% endunless %}",
        "{% case items.size %}{% when 0 %}Nothing{% endcase %}",
        '{% recommend "popular" count: 3 as hits %}{% if hits %}x{% endif %}',
        "{% for item in items %}{% if item.price %}a{% else %}b{% endif %}{% else %}Nothing new{% endfor %}",
    ],
)
def test_a_test_of_the_list_is_a_question(source: str) -> None:
    assert asks_for_items(source)


@pytest.mark.parametrize(
    "source",
    [
        LOOP,
        "{{ items.first.name }}",
        "{% if customer.first_name %}Dear{% endif %}" + LOOP,
        "{% for item in items %}{% if item.a %}a{% else %}{% if item.b %}b{% else %}c{% endif %}{% endif %}"
        "{% endfor %}",
        "{% for order in orders %}x{% else %}none{% endfor %}" + LOOP,
        '{% recommend "popular" as hits %}{% for one in hits %}{{ one }}{% endfor %}{% if x %}y{% endif %}',
    ],
)
def test_showing_the_list_or_testing_something_else_is_none(source: str) -> None:
    assert not asks_for_items(source)
