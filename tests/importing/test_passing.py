"""Many values to PostgreSQL as one."""

import json

from django.utils.safestring import mark_safe

from personalization.importing.passing import json_bytes, numbers


def test_numbers_are_written_as_postgresql_writes_an_array():
    assert numbers([3, 1, -2]) == "{3,1,-2}"
    assert numbers(iter(())) == "{}"


def test_json_takes_what_the_products_own_texts_are():
    value = {"a": mark_safe("<b>"), "b": (1, None, 2.5), 7: "é"}
    assert json.loads(json_bytes(value)) == {"a": "<b>", "b": [1, None, 2.5], "7": "é"}
