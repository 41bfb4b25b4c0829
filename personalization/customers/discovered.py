"""Traits that came without a declaration: what they look like, from the newest profiles.

A value is shown as an example only when as many customers as the floor of reports asks for have it: rare ones
may name somebody.
"""

import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

from django.db import connection

from personalization.customers.declared import SEALED
from personalization.customers.trait_rules import TraitRule, suggest

SAMPLE = 3_000
MOST_NAMES = 300
EXAMPLES = 5


@dataclass(frozen=True)
class Seen:
    """A trait in the sample. `values` are those of its customers, for checks; never for showing."""

    name: str
    values: list[Any]
    sealed: int = 0

    @property
    def customers(self) -> int:
        return len(self.values) + self.sealed

    def suggestion(self) -> TraitRule | None:
        return suggest(self.name, self.values)

    def examples(self, *, floor: int) -> list[str]:
        counts = Counter(str(value) for value in self.values if isinstance(value, (str, int, float)))
        return [text for text, n in counts.most_common(EXAMPLES) if n >= max(floor, 2) and len(text) <= 60]


def seen_traits(*, only: str = "") -> dict[str, Seen]:
    """By name, the most frequent first; `only` this one."""
    values: defaultdict[str, list[Any]] = defaultdict(list)
    sealed: Counter[str] = Counter()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT t.key, t.value #>> '{}', jsonb_typeof(t.value), t.value"
            " FROM (SELECT traits FROM customers_customer WHERE merged_into_id IS NULL AND erased_at IS NULL"
            " ORDER BY id DESC LIMIT %s) AS newest, jsonb_each(newest.traits) AS t"
            " WHERE %s = '' OR t.key = %s",
            [SAMPLE, only, only],
        )
        for name, text, kind, value in cursor.fetchall():
            if text == SEALED:
                sealed[name] += 1
            elif kind != "null":
                values[name].append(_plain(text, kind, value))
    names = sorted(values.keys() | sealed.keys(), key=lambda name: (-len(values[name]) - sealed[name], name))
    return {name: Seen(name, values[name], sealed[name]) for name in names[:MOST_NAMES]}


def _plain(text: str, kind: str, value: Any) -> Any:
    if kind == "string":
        return text
    if kind == "boolean":
        return text == "true"
    if kind == "number":
        return int(text) if text.lstrip("-").isdecimal() else float(text)
    return json.loads(value) if isinstance(value, str) else value
