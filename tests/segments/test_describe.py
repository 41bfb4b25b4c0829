"""Definitions in words."""

import pytest
from django.utils import translation

from personalization.segments.describe import describe, trait_title

LATELY = {"last_days": 30}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("definition", "sentence"),
    [
        ({"all": []}, "All customers."),
        (
            {"trait": "country", "op": "in", "value": ["GB", "CN"]},
            "Customers where country is one of “GB”, “CN”.",
        ),
        (
            {"event": "Order", "is": "at_least", "value": 1, "window": LATELY},
            "Customers where there was “Order” in the last 30 days.",
        ),
        ({"event": "Order", "is": "is", "value": 0}, "Customers where there was no “Order” at any time."),
        (
            {"event": "Order", "op": "sum", "is": "top_percent", "value": 10},
            "Customers where the sum of value of “Order” at any time is in the top 10 % of all customers.",
        ),
        (
            {
                "any": [
                    {"trait": "100%", "op": "is", "value": "50%"},
                    {"not": {"any": [{"consent": "email"}]}},
                ]
            },
            "Customers where 100% is “50%” or it is not so that e-mail about “marketing” is allowed.",
        ),
    ],
)
def test_a_definition_reads_as_a_sentence(definition, sentence) -> None:
    assert describe(definition) == sentence


def test_a_button_calls_a_trait_by_its_words() -> None:
    assert [trait_title(name) for name in ("favorite_category", "city", "shoe_size")] == [
        "Favorite category", "City", "Shoe size",
    ]  # fmt: skip
    with translation.override("zh-hans"):
        assert trait_title("favorite_category") == "最喜欢的类别"
