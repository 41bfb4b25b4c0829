"""What a condition looks at, read safely as text, number or time: a column, a JSON key, a list of categories.

Reading never raises in the database: what is no number or no time reads as NULL and so matches nothing.
"""

import json
import re
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db.models import (
    BooleanField,
    DateTimeField,
    DecimalField,
    F,
    Func,
    JSONField,
    Q,
    TextField,
    Value,
)  # fmt: skip

NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?")
# jsonpath's datetime() takes neither fractions of a second nor the Z of UTC; both are taken off before.
_TIME_OF = (
    "(CASE WHEN {0} ~ '^[12][0-9][0-9][0-9]-' THEN (JSONB_PATH_QUERY_FIRST_TZ(TO_JSONB("
    "REGEXP_REPLACE(REGEXP_REPLACE({0}, '[.][0-9]+', ''), 'Z$', '+00')), "
    "'$.datetime()', '{{}}', true) #>> '{{}}')::timestamptz END)"
)


class Sql(Func):
    """A fixed piece of SQL whose {0}, {1}, … are other expressions, compiled in their place."""

    def __init__(self, template: str, *expressions: Any, output_field: Any = None) -> None:
        super().__init__(*expressions, output_field=output_field or BooleanField())
        self.piece = template

    def as_sql(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        sources = self.get_source_expressions()
        parts: list[str] = []
        parameters: list[Any] = []
        for part in re.split(r"(\{\d+\})", self.piece):
            if re.fullmatch(r"\{\d+\}", part):
                sql, values = compiler.compile(sources[int(part[1:-1])])
                parts.append(sql)
                parameters.extend(values)
            else:
                parts.append(part.replace("{{", "{").replace("}}", "}").replace("%", "%%"))
        return "".join(parts), parameters

    def get_group_by_cols(self) -> list[Any]:
        """Only the columns inside: a parameter is nothing to group by."""
        return [column for source in self.get_source_expressions() for column in source.get_group_by_cols()]


def typed(value: Any) -> Any:
    """A parameter with its SQL type."""
    if isinstance(value, str):
        return Sql("{0}::text", Value(value), output_field=TextField())
    if isinstance(value, Decimal):
        return Sql("{0}::numeric", Value(value), output_field=DecimalField())
    if isinstance(value, list):
        return Sql(
            "{0}::text[]", Value(value, output_field=ArrayField(TextField())), output_field=TextField()
        )
    return Value(value)


class Column:
    """A text column; the empty text counts as missing."""

    def __init__(self, path: str) -> None:
        self.text: Any = F(path)

    def number(self) -> Any:
        return None

    def time(self) -> Any:
        return None

    def equals(self, values: Iterable[Any]) -> Any:
        return Sql("{0} = ANY({1})", self.text, typed([plain(value) for value in values]))

    def present(self) -> Any:
        return Sql("{0} <> ''", self.text)


class EmailColumn(Column):
    """Compared without case, as people write addresses; served by the index on LOWER(email)."""

    def equals(self, values: Iterable[Any]) -> Any:
        wanted = [plain(value).lower() for value in values]
        return Sql("LOWER({0}) = ANY({1})", self.text, typed(wanted))


class NumberColumn(Column):
    def number(self) -> Any:
        return self.text

    def equals(self, values: Iterable[Any]) -> Any:
        numbers = [number for value in values if (number := as_number(value)) is not None]
        return Sql("{0} = ANY({1}::numeric[])", self.text, typed([str(number) for number in numbers]))

    def present(self) -> Any:
        return Sql("{0} IS NOT NULL", self.text)


class CountColumn(NumberColumn):
    """A whole number: compared as such, which is quicker."""


class TimeColumn(Column):
    def time(self) -> Any:
        return self.text

    def present(self) -> Any:
        return Sql("{0} IS NOT NULL", self.text)


class ArrayColumn(Column):
    """`is` and `in` ask whether the array holds the value."""

    def equals(self, values: Iterable[Any]) -> Any:
        wanted = [plain(value) for value in values]
        return Sql("{0} && {1}::varchar[]", self.text, typed(wanted))

    def present(self) -> Any:
        return Sql("CARDINALITY({0}) > 0", self.text)


class JsonKey(Column):
    """A top-level key of a JSON column. 18, "18" and 18.0 are the same value; so are true and "true"."""

    def __init__(self, path: str, key: str) -> None:
        self.column, self.key = F(path), key
        self.json = Sql("({0} -> {1})", self.column, typed(key), output_field=JSONField())
        self.text = Sql("({0} ->> {1})", self.column, typed(key), output_field=TextField())

    def number(self) -> Any:
        return Sql(
            "CASE WHEN JSONB_TYPEOF({0}) = 'number' OR (JSONB_TYPEOF({0}) = 'string' AND {1} ~ "
            "'^-?[0-9]{{1,15}}([.][0-9]{{1,15}})?$') THEN ({1})::numeric END",
            self.json, self.text, output_field=DecimalField(),
        )  # fmt: skip

    def time(self) -> Any:
        return Sql(_TIME_OF, self.text, output_field=DateTimeField())

    def equals(self, values: Iterable[Any]) -> Any:
        wanted = [json.dumps(spelling) for value in values for spelling in spellings(value)]
        if len(wanted) > 4:
            return Sql("{0} = ANY({1}::jsonb[])", self.json, typed(wanted))
        # Containment is what the GIN index on traits can serve.
        matches = Q()
        for one in wanted:
            holder = typed(f"{{{json.dumps(self.key)}: {one}}}")
            matches |= Q(Sql("{0} @> {1}::jsonb", self.column, holder))
        return matches

    def present(self) -> Any:
        return Sql("({0} IS NOT NULL AND {0} <> 'null' AND {0} <> '\"\"')", self.json)


def plain(value: Any) -> str:
    """A value as text, as JSON writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return format(value.normalize(), "f") if isinstance(value, Decimal) else str(value)


def as_number(value: Any) -> Decimal | None:
    """None for what is no number; the same rule as in SQL."""
    if isinstance(value, Decimal):
        return value
    if isinstance(value, str) and NUMBER.fullmatch(value):
        try:
            return Decimal(value)
        except InvalidOperation:
            return None
    return None


class _Raw(float):
    """A number written into JSON digit by digit as it was given."""

    def __new__(cls, text: str) -> "_Raw":
        made = super().__new__(cls, text)
        made.text = text
        return made

    text: str

    def __repr__(self) -> str:
        return self.text


def spellings(value: Any) -> list[Any]:
    """The JSON values that count as this one, most likely first."""
    if isinstance(value, bool):
        return [value, plain(value)]
    number = as_number(value)
    if number is not None:
        written = value if isinstance(value, str) else plain(number)
        return [written, int(number) if number == int(number) else _Raw(plain(number))]
    return [value, value == "true"] if value in ("true", "false") else [value]
