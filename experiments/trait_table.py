"""Traits of customers as the columns of a table: numbers, and words."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from experiments.uplift import Table
from personalization.customers.models import Customer

CHUNK = 50_000
COLUMNS = ("language", "country", "city")
# Traits that this module's results are written to: a model must not learn from the last one.
OWN_PREFIX = "uplift_"
MOST_TRAITS = 100


def load_traits(customer_ids: Sequence[int], *, names: Sequence[str] = ()) -> Table:
    """One entry per customer, in the given order; all traits when no `names` are given.

    A trait is a number when all its known values are numbers, else a word; texts that name a single customer
    (nearly all different), lists and objects are left out.
    """
    rows = _rows(customer_ids)
    counts = Counter(name for row in rows for name in row if not name.startswith(OWN_PREFIX))
    wanted = list(names) or [name for name, _ in counts.most_common(MOST_TRAITS)]
    numbers: dict[str, Any] = {}
    words: dict[str, Any] = {}
    for name in sorted(wanted):
        values = [row.get(name) for row in rows]
        known = [value for value in values if value is not None]
        if not known or any(isinstance(value, list | dict) for value in known):
            continue
        if all(isinstance(value, int | float) and not isinstance(value, bool) for value in known):
            numbers[name] = np.array([np.nan if v is None else float(v) for v in values])
        elif len(set(known)) <= max(20, len(known) // 10):
            words[name] = np.array(values, dtype=object)
    return Table(numbers, words)


def load_traits_like(columns: Table, customer_ids: Sequence[int]) -> Table:
    """The same columns of other customers; what is no number where numbers are wanted is unknown."""
    rows = _rows(customer_ids)
    return Table(
        {name: np.array([_number(row.get(name)) for row in rows]) for name in columns.numbers},
        {name: np.array([_word(row.get(name)) for row in rows], dtype=object) for name in columns.words},
    )


def _number(value: object) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number else float("nan")  # type: ignore[arg-type]


def _word(value: object) -> object:
    return None if isinstance(value, list | dict) else value


def _rows(customer_ids: Sequence[int]) -> list[dict[str, Any]]:
    found: dict[int, dict[str, Any]] = {}
    for start in range(0, len(customer_ids), CHUNK):
        chunk = list(customer_ids[start : start + CHUNK])
        for row in Customer.objects.filter(pk__in=chunk).values("pk", "traits", *COLUMNS):
            standard = {name: row[name] for name in COLUMNS if row[name]}
            found[row["pk"]] = {**row["traits"], **standard}
    return [found.get(pk, {}) for pk in customer_ids]
