"""Two profiles turn out to be one person: everything known moves to the profile that stays."""

from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from personalization.customers.models import Consent, Customer
from personalization.customers.traits import COLUMNS


@transaction.atomic
def absorb(source_id: int, *, into_id: int) -> None:
    """Moves ids, traits, consent and suppressions of a visitor into a customer, and removes the visitor.

    What the target already states about itself wins; for consent the more restrictive statement does. The
    caller has moved the events. Rows of other rooms follow where their model says so: a model with
    `follows_merge_by` (names of columns) gives its rows to the target unless the target has one with the same
    values. A visitor that a ledger or an experiment refers to stays as an empty row
    without address, so that their counts still add up.
    """
    # The same order as every other writer, or two merges would wait for one another forever.
    found = Customer.objects.select_for_update().filter(pk__in=[source_id, into_id]).order_by("pk")
    if len(list(found)) < 2:
        return
    with connection.cursor() as cursor:
        cursor.execute(_MERGE_TRAITS, [source_id, into_id])
    _merge_consent(source_id, into_id)
    source = Customer.objects.get(pk=source_id)
    source.identifiers.update(customer_id=into_id)
    source.suppressions.update(customer_id=into_id)
    _move_followers(source_id, into_id)
    if _is_referred_to(source):
        blank = dict.fromkeys(COLUMNS, "")
        Customer.objects.filter(pk=source_id).update(traits={}, **blank)
    else:
        source.delete()


def _merge_consent(source_id: int, into_id: int) -> None:
    stated = {
        (consent.channel, consent.topic): consent
        for consent in Consent.objects.filter(customer_id=into_id, is_current=True)
    }
    for consent in Consent.objects.filter(customer_id=source_id, is_current=True):
        other = stated.get((consent.channel, consent.topic))
        if other is None:
            continue
        loser = other if other.granted and not consent.granted else consent
        Consent.objects.filter(pk=loser.pk).update(is_current=False)
    Consent.objects.filter(customer_id=source_id).update(customer_id=into_id)


def _move_followers(source_id: int, into_id: int) -> None:
    for relation in Customer._meta.related_objects:
        columns = getattr(relation.related_model, "follows_merge_by", None)
        if columns is None:
            continue
        name, manager = relation.field.name, relation.related_model._base_manager
        same = {column: OuterRef(column) for column in columns}
        taken = Exists(manager.filter(**{name: into_id}, **same))
        manager.filter(~taken, **{name: source_id}).update(**{name: into_id})


def _is_referred_to(customer: Customer) -> bool:
    """Whether any row of any room still points to this customer."""
    for relation in Customer._meta.related_objects:
        manager = relation.related_model._base_manager
        if manager.filter(**{relation.field.name: customer.pk}).exists():
            return True
    return False


_MERGE_TRAITS = """
    UPDATE customers_customer AS t SET traits = s.traits || t.traits, updated_at = now(),
        created_at = least(t.created_at, s.created_at), {columns}
    FROM customers_customer AS s WHERE s.id = %s AND t.id = %s
""".format(columns=", ".join(f"{name} = coalesce(nullif(t.{name}, ''), s.{name})" for name in COLUMNS))  # noqa: S608 - our own column names
