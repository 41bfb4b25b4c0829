"""Declared traits in files: whole columns held against their rules, and values to encrypt."""

from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from personalization.customers.declared import seal
from personalization.customers.errors import InvalidTraits
from personalization.customers.models import Customer
from personalization.customers.trait_rules import TraitRule
from personalization.importing.arrow import pc
from personalization.importing.columns import Plain, truths
from personalization.importing.reading import plain


def sealed_json(values: dict[str, Any]) -> str | None:
    return msgspec.json.encode(values).decode() if values else None


def seal_rows(table: pa.Table) -> None:
    """Values of encrypted traits, to the customers that now exist."""
    rows = table.filter(pc.is_valid(table["sealed"])).select(["external_id", "sealed"]).to_pylist()
    if not rows:
        return
    known = Customer.objects.filter(external_id__in=[row["external_id"] for row in rows])
    ids = dict(known.values_list("external_id", "pk"))
    seal(
        {
            (ids[row["external_id"]], name): value
            for row in rows
            for name, value in msgspec.json.decode(row["sealed"]).items()
        }
    )


def apply_once(rule: TraitRule, column: pa.Array) -> tuple[pa.Array, Plain]:
    """Each different value is checked once; what is refused or kept as it came is left to the other way."""
    everywhere = np.ones(len(column), dtype=bool)
    if pa.types.is_null(column.type) or len(column) == 0:
        return column, everywhere
    encoded = pc.dictionary_encode(column)
    checked, right = [], []
    for cell in encoded.dictionary.to_pylist():
        try:
            checked.append(rule.check(plain(cell)))
            right.append(True)
        except InvalidTraits:
            checked.append(None)
            right.append(False)
    indices = encoded.indices
    fitting = np.array(right, dtype=bool)[indices.fill_null(0).to_numpy()]
    missing = ~truths(pc.is_valid(indices))
    if len({type(cell) for cell in checked} - {type(None)}) > 1:  # 1 and 2.5 would become 1.0 and 2.5
        return column, ~everywhere | missing
    try:
        return pa.array(checked).take(indices), fitting | missing
    except (pa.ArrowInvalid, pa.ArrowTypeError):  # a list of texts, for example
        return column, ~everywhere | missing
