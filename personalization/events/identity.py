"""Anonymous history joins on identification: the events of a visitor become the customer's.

Only a visitor without a customer id is ever joined. Two customers with ids of their own are never merged by
what a client sends: a write key stands in every browser, and a wrong merge cannot be taken back.
"""

from collections.abc import Iterable

from django.db import connection, transaction
from django.utils.translation import gettext as _

from personalization.customers.identity import known_identifiers
from personalization.customers.merging import absorb
from personalization.customers.models import Customer, IdentifierKind
from personalization.customers.services import link, resolve

Pair = tuple[str, str]


@transaction.atomic
def connect(pairs: Iterable[Pair], *, former: Iterable[Pair] = ()) -> dict[Pair, str]:
    """Joins (user id, anonymous id) pairs, and `former` pairs of (user id, previous id) from `alias`.

    Answers the pairs that were refused, with the reason. Doing it again changes nothing.
    """
    refused: dict[Pair, str] = {}
    for user_id, anonymous_id in sorted(set(pairs)):
        _connect(user_id, anonymous_id)
    for user_id, previous_id in sorted(set(former)):
        if user_id == previous_id:
            continue
        previous = Customer.objects.filter(external_id=previous_id).first()
        current = Customer.objects.filter(external_id=user_id).first()
        if previous is None or current == previous:
            _connect(user_id, previous_id)
            link(resolve(user_ids=[user_id]).users[user_id], kind=IdentifierKind.USER_ID, value=previous_id)
        else:
            refused[user_id, previous_id] = _("both ids belong to customers; they are not merged")
    return refused


def _connect(user_id: str, anonymous_id: str) -> None:
    visitor_id = known_identifiers(IdentifierKind.ANONYMOUS_ID, [anonymous_id]).get(anonymous_id)
    user = Customer.objects.filter(external_id=user_id).values_list("pk", flat=True).first()
    nameless = Customer.objects.filter(pk=visitor_id or 0, external_id=None)
    # A visitor simply gets the new name: nothing moves, experiments and ledgers keep their person.
    if user is None and visitor_id is not None and nameless.update(external_id=user_id):
        return
    customer_id = user or resolve(user_ids=[user_id]).users[user_id]
    if visitor_id is None:
        link(customer_id, kind=IdentifierKind.ANONYMOUS_ID, value=anonymous_id)
    elif visitor_id != customer_id and nameless.exists():
        move_events(visitor_id, to_id=customer_id)
        absorb(visitor_id, into_id=customer_id)


def move_events(customer_id: int, *, to_id: int) -> None:
    """Gives one customer's events to another; a message both have stays once."""
    with connection.cursor() as cursor:
        # Writers of events hold FOR KEY SHARE: they finish first, or wait for us and find the visitor gone.
        cursor.execute(
            "SELECT id FROM customers_customer WHERE id = ANY(%s) ORDER BY id FOR UPDATE",
            [[customer_id, to_id]],
        )
        cursor.execute(
            "DELETE FROM events_event AS e USING events_event AS kept WHERE e.customer_id = %s"
            " AND kept.customer_id = %s AND kept.message_key = e.message_key",
            [customer_id, to_id],
        )
        # Received anew by the customer that keeps them: whoever has already counted them counts again.
        cursor.execute(
            "UPDATE events_event SET customer_id = %s, received_at = now(),"
            " context = context || jsonb_build_object('joined_from', %s::bigint) WHERE customer_id = %s",
            [to_id, customer_id, customer_id],
        )
