"""Whose rows of an imported file are: by customer id, a former customer id, e-mail, phone, anonymous id.

The rules are those of what comes in over HTTP (`identity_rules`): an address that several customers have, or
whose kind may join nobody by rule, says nothing; then the row is refused with the reason.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from django.db import connection
from django.db.models import F
from django.db.models.functions import Lower
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from personalization.customers.identity import resolve
from personalization.customers.identity_rules import load_rules
from personalization.customers.models import SOMEBODY, Customer, IdentifierKind
from personalization.customers.phones import normalize_phone
from personalization.importing.columns import as_array


class Owners(NamedTuple):
    """The customer id of every row, "" for those in `rejects`: (row, reason)."""

    ids: pa.Array
    rejects: list[tuple[int, str]]


def find_owners(table: pa.Table) -> Owners:
    """`table` has external_id, email and phone as text; at least one of them is not empty in every row."""
    column = as_array(table["external_id"])
    some_nameless = column.index("").as_py() >= 0
    if not some_nameless and not _is_any(_FORMER_AT_ALL):
        return Owners(column, [])  # as in nearly every file
    ids: list[str] = column.to_pylist()
    former = _former(ids)
    found = [former.get(one, one) for one in ids] if former else ids
    rejects: list[tuple[int, str]] = []
    if nameless := [row for row, one in enumerate(found) if not one]:
        emails, phones = _by_address(table, nameless)
        for row in nameless:
            email, phone = table["email"][row].as_py().lower(), table["phone"][row].as_py()
            owned = emails.get(email, {}), phones.get(phone, {})
            owner, reason = _one_owner(*owned)
            if reason:
                rejects.append((row, reason))
            found[row] = str((owned[0] | owned[1])[owner]) if owner else ""
    return Owners(pa.array(found, pa.string()), rejects)


class People(NamedTuple):
    """The key of every row's customer, 0 for those in `rejects`: (row, reason)."""

    ids: NDArray[np.int64]
    rejects: list[tuple[int, str]]


def find_people(table: pa.Table, *, at: datetime) -> People:
    """Whose rows without customer id are: `table` has email, phone and anonymous_id as text, one of them not
    empty. An anonymous id nobody has makes a visitor, known since `at`; it is asked where the addresses lead
    to nobody. A visitor may own an address too, where no customer with an id does.
    """
    emails, phones = as_array(table["email"]).to_pylist(), as_array(table["phone"]).to_pylist()
    numbers = {phone: normalize_phone(phone, country="") for phone in set(phones)}
    phones = [numbers[phone] for phone in phones]
    by_email, by_phone = _owned({email.lower() for email in emails} - {""}, set(phones) - {""})
    found = [
        _one_owner(by_email.get(email.lower(), {}), by_phone.get(phone, {}), visitors=True)
        for email, phone in zip(emails, phones, strict=True)
    ]
    anonymous = as_array(table["anonymous_id"]).to_pylist()
    asked = {one for one, (owner, _reason) in zip(anonymous, found, strict=True) if one and not owner}
    visitors = resolve(anonymous_ids=asked, at=at).visitors if asked else {}
    ids = [owner or visitors.get(one, 0) for one, (owner, _reason) in zip(anonymous, found, strict=True)]
    rejects = [(row, found[row][1]) for row, owner in enumerate(ids) if not owner]
    return People(np.array(ids, dtype=np.int64), rejects)


def nameless_with(table: pa.Table) -> list[int]:
    """Visitors without a customer id who have an e-mail or phone of these rows: maybe the same people."""
    if not _is_any(_VISITORS_AT_ALL):
        return []
    emails, phones = _addresses(table, range(table.num_rows))
    if not emails and not phones:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_VISITORS, {"emails": sorted(emails), "phones": sorted(phones)})
        return [pk for (pk,) in cursor.fetchall()]


def _former(ids: Iterable[str]) -> dict[str, str]:
    """Ids given up in a merge or by alias → the id that the customer has now."""
    with connection.cursor() as cursor:
        cursor.execute(_FORMER, [[one for one in ids if one]])
        return dict(cursor.fetchall())


def _is_any(query: str) -> bool:
    """Asked before a question about every row of a block, which costs a third of the whole import."""
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchone() is not None


# The order leads to the index of kind and value also while a long import leaves the statistics behind.
_FORMER_AT_ALL = "SELECT value FROM customers_identifier WHERE kind = 'user_id' ORDER BY value LIMIT 1"
_VISITORS_AT_ALL = """
    SELECT id FROM customers_customer
    WHERE external_id IS NULL AND merged_into_id IS NULL AND erased_at IS NULL
        AND (email <> '' OR phone <> '')
    LIMIT 1
"""
# One parameter, however many rows a block has.
_VISITORS = """
    SELECT id FROM customers_customer
    WHERE external_id IS NULL AND merged_into_id IS NULL AND erased_at IS NULL
        AND (lower(email) = ANY(%(emails)s) OR phone = ANY(%(phones)s))
"""
_FORMER = """
    SELECT i.value, c.external_id
    FROM customers_identifier AS i JOIN customers_customer AS c ON c.id = i.customer_id
    WHERE i.kind = 'user_id' AND i.value = ANY(%s) AND c.external_id IS NOT NULL
"""
Owned = dict[str, dict[int, str | None]]  # address → customers by key, with their customer ids


def _by_address(table: pa.Table, rows: Iterable[int]) -> tuple[Owned, Owned]:
    return _owned(*_addresses(table, rows))


def _owned(emails: set[str], phones: set[str]) -> tuple[Owned, Owned]:
    rules = load_rules()
    wanted = (
        (IdentifierKind.EMAIL, Lower("email"), emails), (IdentifierKind.PHONE, F("phone"), phones),
    )  # fmt: skip
    answers: list[Owned] = []
    for kind, key, addresses in wanted:
        owned: Owned = defaultdict(dict)
        if addresses and rules[kind].joins:
            people = Customer.objects.filter(SOMEBODY).annotate(address=key).filter(address__in=addresses)
            for address, pk, external_id in people.values_list("address", "pk", "external_id"):
                owned[address][pk] = external_id
        answers.append(owned)
    return answers[0], answers[1]


def _addresses(table: pa.Table, rows: Iterable[int]) -> tuple[set[str], set[str]]:
    emails, phones = as_array(table["email"]).to_pylist(), as_array(table["phone"]).to_pylist()
    chosen = list(rows)
    return {emails[row].lower() for row in chosen} - {""}, {phones[row] for row in chosen} - {""}


def _one_owner(
    by_email: dict[int, str | None], by_phone: dict[int, str | None], *, visitors: bool = False
) -> tuple[int, str]:
    """The customer's key, or 0 and why it is nobody's. `visitors`: those without an id of their own count
    where nobody else has the address."""
    owners = [{pk for pk, one in owned.items() if one} for owned in (by_email, by_phone)]
    if visitors and not any(owners):
        owners = [set(by_email), set(by_phone)]
    if any(len(group) > 1 for group in owners):
        return 0, _("several customers have this e-mail or phone; give the customer id")
    candidates = owners[0] | owners[1]
    if len(candidates) > 1:
        return 0, _("e-mail and phone belong to different customers; give the customer id")
    if not candidates:
        return 0, _("no customer has this e-mail or phone; a new one needs a customer id")
    return next(iter(candidates)), ""
