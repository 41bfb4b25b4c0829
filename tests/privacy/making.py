"""One row of every model about a customer, with a mark in every text: also of models added later."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import uuid4

from django.contrib.postgres.fields import ArrayField
from django.db import connection, models

from personalization.customers.models import Customer
from personalization.privacy.declared import declared

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NUMBER = 1
_numbers = count(1)


def make_rows(
    customer: Customer, mark: str, *, numbered: bool = False
) -> dict[type[models.Model], models.Model]:
    """A row of each declared model that leads to the customer; `mark` stands in every text and JSON of it,
    but where a member of staff is named or a hash stands. `numbered`: each has the id NUMBER, so that a test
    can ask for any of them by it."""
    made: dict[type[models.Model], models.Model] = {Customer: customer}
    for model, _data in reversed(declared()):
        if model not in made:
            make_row(model, made, mark, numbered)
    if numbered:
        _leave_numbers(made)
    return made


def _leave_numbers(made: Iterable[type[models.Model]]) -> None:
    """The next row of each model is not to meet NUMBER. Never back: processes remember rows by their ids."""
    with connection.cursor() as cursor:
        for model in made:
            key = model._meta.pk
            if isinstance(key, models.AutoField):
                place = [model._meta.db_table, key.column]
                cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, %s))", place)


def make_row(
    model: type[models.Model], made: dict[type[models.Model], models.Model], mark: str, numbered: bool = False
) -> Any:
    values = {}
    if not hasattr(model, "personal_data"):
        mark = "plain"  # a campaign, an experiment: it stays
    for field in model._meta.concrete_fields:
        if field.primary_key and not field.remote_field and isinstance(field, models.AutoField):
            values[field.name] = NUMBER if numbered and model is not Customer else None
            continue
        if isinstance(field, models.CompositePrimaryKey):
            continue
        values[field.name] = value_of(field, made, mark, model, numbered)
    row = model(**values)
    model._base_manager.bulk_create([row])
    made[model] = row
    return row


def value_of(
    field: Any, made: dict[type[models.Model], models.Model], mark: str, model: Any, numbered: bool
) -> Any:
    if field.remote_field:
        target = field.related_model
        if target is model or (field.null and target not in made and target is not Customer):
            return None
        return made[target] if target in made else make_row(target, made, mark, numbered)
    if field.choices:
        return field.choices[0][0]
    if isinstance(field, ArrayField):
        return []
    number = next(_numbers)
    kinds: list[tuple[type, Any]] = [
        (models.JSONField, {"note": mark}),
        (models.EmailField, "shop@example.com"),
        (models.SlugField, f"s{number}"),
        # What a test key made is hidden from most pages.
        (models.BooleanField, field.name != "is_test"),
        (models.DateTimeField, NOW),
        (models.DateField, date(2026, 3, 1)),
        (models.DecimalField, Decimal(1)),
        (models.FloatField, 0.5),
        (models.UUIDField, uuid4()),
        (models.BinaryField, mark.encode()),
        (models.IntegerField, number),
    ]
    for kind, value in kinds:
        if isinstance(field, kind):
            return value
    if field.name in getattr(getattr(model, "personal_data", None), "neutral", ()):
        mark = "neutral "
    if field.name == "actor" or field.name.endswith(("_by", "_hash")):
        mark = "staff or hash "
    text = f"{mark}{number}"
    return text[: field.max_length] if field.max_length and field.max_length >= len(mark) else text[:1]
