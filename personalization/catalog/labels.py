"""The labels of items by which tastes are told: categories, brands, or an attribute such as tags."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db.models import Expression, F, Func, TextField
from django.db.models.fields.json import KeyTransform

CATEGORIES, BRAND = "", "brand"
_LABELS: "ArrayField[Any, Any]" = ArrayField(TextField())


def labels_of(by: str, *, item: str = "item__") -> Expression | F:
    """The labels of an item as an array, without empty ones; NULL or empty where it has none.

    `by`: CATEGORIES, BRAND, or the name of an attribute: a list, or a text with | between the labels.
    `item`: the way from the queryset's model to the item.
    """
    if by == CATEGORIES:
        return F(f"{item}categories")
    if by == BRAND:
        return Func(
            F(f"{item}brand"),
            template="array_remove(ARRAY[%(expressions)s]::text[], '')",
            output_field=_LABELS,
        )
    return Func(KeyTransform(by, f"{item}attributes"), template=_TEMPLATE, output_field=_LABELS)


# One CASE inside: a function that makes rows may not stand in one, but its argument may.
_TEMPLATE = (
    "ARRAY(SELECT DISTINCT label FROM (SELECT %(expressions)s AS value) AS own,"
    " LATERAL jsonb_array_elements_text(CASE jsonb_typeof(own.value) WHEN 'array' THEN own.value"
    " WHEN 'string' THEN to_jsonb(regexp_split_to_array(own.value #>> '{}', '\\s*[|]\\s*'))"
    " ELSE '[]' END) AS label WHERE label <> '' ORDER BY label)"
)
