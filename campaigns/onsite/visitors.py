"""Who asks: the profile with what offers must know of it, read in one query."""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from experiments.models import Assignment, Holdout, HoldoutMember
from experiments.traffic.rules import hash_values
from personalization.customers import selectors as customers
from personalization.customers.declared import unseal
from personalization.customers.identity import known_identifiers
from personalization.customers.models import Customer, IdentifierKind
from personalization.importing.prepared import Query, array, text

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NOBODY: Mapping[str, Any] = {"traits": {}, "language": ""}


@dataclass(frozen=True)
class Visitor:
    """`pk` is None for somebody nobody knows; `hashed` decides the variants ("" takes no part). `stored` are
    the variants by experiment that were written down, of those asked for.
    """

    pk: int | None = None
    anonymous_id: str = ""
    hashed: str = ""
    profile: Mapping[str, Any] = field(default_factory=lambda: dict(NOBODY))
    is_held_out: bool = False
    stored: Mapping[int, int] = field(default_factory=dict)


def find_visitor(
    *, customer_id: str = "", anonymous_id: str = "", experiments: Collection[int] = ()
) -> Visitor:
    """By the shop's own id, else by the anonymous one. An id nobody knows is hashed all the same."""
    if customer_id and "\0" not in customer_id:
        found = _read("external_id", customer_id, anonymous_id, experiments)
        if found is not None:
            return found
    pk = customers.customer_ids([customer_id]).get(customer_id) if customer_id else None
    if pk is None and anonymous_id:
        pk = known_identifiers(IdentifierKind.ANONYMOUS_ID, [anonymous_id]).get(anonymous_id)
    found = _read("id", str(pk), anonymous_id, experiments) if pk is not None else None
    return found or Visitor(None, anonymous_id, customer_id or anonymous_id)


def _read(by: str, value: str, anonymous_id: str, experiments: Collection[int]) -> Visitor | None:
    found = _query(by).run(array(experiments), text(value))
    if not found.ntuples:
        return None
    *values, is_held_out, stored = (found.get_value(0, column) for column in range(found.nfields))
    profile: dict[str, Any] = {
        name: None if raw is None else read(raw) for (name, read), raw in zip(_fields(), values, strict=True)
    }
    pk = profile["id"]
    unseal({pk: profile["traits"]})
    hashed = profile["external_id"] or hash_values([pk]).get(pk, "")
    variants = {int(one): variant for one, variant in json.loads(stored).items()} if stored else {}
    return Visitor(pk, anonymous_id, hashed, profile, is_held_out == b"t", variants)


@cache
def _fields() -> list[tuple[str, Callable[[bytes], Any]]]:
    """Names in a profile, and how what the database answers is read."""
    readers: dict[str, Callable[[bytes], Any]] = {
        "id": int, "created_at": lambda raw: EPOCH + timedelta(microseconds=int(raw)), "traits": json.loads,
    }  # fmt: skip
    return [(name, readers.get(name, bytes.decode)) for name in customers.PROFILE_FIELDS]


@cache
def _query(by: str) -> Query:
    written = {"created_at": "(extract(epoch FROM c.created_at) * 1000000)::bigint"}
    columns = ", ".join(written.get(name, f"c.{name}") for name in customers.PROFILE_FIELDS)
    query = f"""
        SELECT {columns},
            EXISTS (
                SELECT FROM {HoldoutMember._meta.db_table} m JOIN {Holdout._meta.db_table} h
                    ON h.id = m.holdout_id AND h.is_global AND h.ended_at IS NULL
                WHERE m.customer_id = c.id AND m.left_at IS NULL
            ),
            (
                SELECT json_object_agg(a.experiment_id, a.variant_id)::text
                FROM {Assignment._meta.db_table} a
                WHERE a.customer_id = c.id AND a.experiment_id = ANY($1::bigint[])
            )
        FROM {Customer._meta.db_table} c WHERE c.{by} = $2
    """  # noqa: S608  (only names of our own models)
    return Query(f"visitor_by_{by}", query)
