"""Who is who: from the ids a client sends to our customers, created where nobody is known.

Rules, in this order: the customer id (`userId`) names a customer; a former customer id leads to the customer
it was linked to; an anonymous id leads to the customer it was first linked to. One that several customers
identified themselves with is shared: from then on it leads to a nameless profile of its own. What joins two
profiles stands in `identity_rules`.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from django.db import connection, transaction
from django.utils import timezone

from personalization.customers.models import Customer, Identifier, IdentifierClaim, IdentifierKind


class Resolved(NamedTuple):
    """Customer ids by the ids the client sent."""

    users: dict[str, int]
    visitors: dict[str, int]


@transaction.atomic(savepoint=False)
def resolve(
    *, user_ids: Iterable[str] = (), anonymous_ids: Iterable[str] = (), at: datetime | None = None
) -> Resolved:
    """The customers of these ids; unknown ones are created with `created_at` = `at` (default: now).

    They are locked: nobody erases them or merges them away before the caller's transaction ends. Safe when
    batches with the same new ids run at once: everybody inserts in sorted order, and the loser of a race
    reads what the winner wrote.
    """
    at = at or timezone.now()
    users, visitors = set(user_ids), set(anonymous_ids)
    known_users = _known_users(users)
    if missing := sorted(users - known_users.keys()):
        _create_users(missing, at)
        known_users |= _known_users(missing)
    known_visitors = _locked_by(IdentifierKind.ANONYMOUS_ID, visitors)
    if missing := sorted(visitors - known_visitors.keys()):
        _create_visitors(missing, at)
        known_visitors |= _locked_by(IdentifierKind.ANONYMOUS_ID, missing)
    return Resolved(known_users, known_visitors)


def known_identifiers(kind: str, values: Iterable[str]) -> dict[str, int]:
    """Customer ids by identifier, of those that exist."""
    wanted = list(values)
    if not wanted:
        return {}
    rows = Identifier.objects.filter(kind=kind, value__in=wanted)
    return dict(rows.values_list("value", "customer_id"))


def link(customer_id: int, *, kind: str, value: str) -> bool:
    """Makes an id lead to this customer. False when it already leads somewhere."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO customers_identifier (customer_id, kind, value, created_at) VALUES (%s, %s, %s, %s)"
            " ON CONFLICT (kind, value) DO NOTHING",
            [customer_id, kind, value, timezone.now()],
        )
        return cursor.rowcount == 1


def link_moving(owners: Mapping[str, int], *, kind: str) -> None:
    """Makes ids (by value) lead to their last user, as a device or a push token does."""
    if not owners:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO customers_identifier (customer_id, kind, value, created_at)"
            " SELECT n.id, %s, n.value, now() FROM unnest(%s::bigint[], %s::text[]) AS n(id, value)"
            " JOIN customers_customer c ON c.id = n.id ORDER BY n.value"
            " ON CONFLICT (kind, value) DO UPDATE SET customer_id = excluded.customer_id"
            " WHERE customers_identifier.customer_id <> excluded.customer_id",
            [kind, list(owners.values()), list(owners)],
        )


def claim(identifier: Identifier, *, customer_id: int, most_customers: int) -> bool:
    """Notes that another customer identified itself with this id. True when it thereby became shared: it then
    leads to a new profile without a name, and what it led to so far stays where it is."""
    IdentifierClaim.objects.get_or_create(identifier=identifier, customer_id=customer_id)
    others = identifier.claims.exclude(customer_id=identifier.customer_id).count()
    if identifier.shared_at or others + 1 <= most_customers:
        return False
    IdentifierClaim.objects.get_or_create(identifier=identifier, customer_id=identifier.customer_id)
    now = timezone.now()
    nobody = Customer.objects.create(created_at=now)
    Identifier.objects.filter(pk=identifier.pk).update(customer=nobody, shared_at=now)
    return True


# In the order of the customers, so that two batches wait for one another and never in a circle; and one
# parameter, however many ids: both stand in the way of every event.
_LOCKED_USERS = """
    SELECT external_id, id FROM customers_customer WHERE external_id = ANY(%s) ORDER BY id FOR KEY SHARE
"""
_LOCKED_BY = """
    SELECT i.value, c.id FROM customers_identifier AS i JOIN customers_customer AS c ON c.id = i.customer_id
    WHERE i.kind = %s AND i.value = ANY(%s) ORDER BY c.id FOR KEY SHARE OF c
"""


def _known_users(user_ids: Iterable[str]) -> dict[str, int]:
    wanted = list(user_ids)
    if not wanted:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_LOCKED_USERS, [wanted])
        known: dict[str, int] = dict(cursor.fetchall())
    if rest := [value for value in wanted if value not in known]:
        known |= _locked_by(IdentifierKind.USER_ID, rest)
    return known


def _locked_by(kind: IdentifierKind, values: Iterable[str]) -> dict[str, int]:
    wanted = list(values)
    if not wanted:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_LOCKED_BY, [kind.value, wanted])
        return dict(cursor.fetchall())


_NEW_CUSTOMER = """
    INSERT INTO customers_customer (external_id, email, phone, first_name, last_name, language, country, city,
                                    time_zone, traits, created_at, updated_at)
    SELECT {external_id}, '', '', '', '', '', '', '', '', '{{}}', %(at)s, now() FROM {source}
"""


def _create_users(external_ids: list[str], at: datetime) -> None:
    statement = _NEW_CUSTOMER.format(external_id="value", source="unnest(%(ids)s::text[]) AS value")
    with connection.cursor() as cursor:
        cursor.execute(statement + " ON CONFLICT (external_id) DO NOTHING", {"ids": external_ids, "at": at})


def _create_visitors(anonymous_ids: list[str], at: datetime) -> None:
    """One nameless customer per id. Where another transaction was first, ours is taken back."""
    statement = _NEW_CUSTOMER.format(external_id="NULL", source="generate_series(1, %(count)s)")
    with connection.cursor() as cursor:
        cursor.execute(statement + " RETURNING id", {"count": len(anonymous_ids), "at": at})
        customer_ids = [row[0] for row in cursor.fetchall()]
        cursor.execute(
            "INSERT INTO customers_identifier (customer_id, kind, value, created_at)"
            " SELECT n.id, %s, n.value, now() FROM unnest(%s::bigint[], %s::text[]) AS n(id, value)"
            " ON CONFLICT (kind, value) DO NOTHING RETURNING customer_id",
            [IdentifierKind.ANONYMOUS_ID.value, customer_ids, anonymous_ids],
        )
        if unused := set(customer_ids) - {row[0] for row in cursor.fetchall()}:
            cursor.execute("DELETE FROM customers_customer WHERE id = ANY(%s)", [list(unused)])
