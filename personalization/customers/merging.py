"""Two profiles turn out to be one person: everything known moves to the profile that stays.

Every merge is a row that tells who, when, why and what moved, so that `unmerging` can take it back. The
caller moves the events, which stand a room higher.
"""

from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from personalization.customers.errors import MergeRefused
from personalization.customers.models import Consent, Customer, Identifier, IdentifierKind, Merge
from personalization.customers.traits import COLUMNS

STATE = ("external_id", *COLUMNS, "traits", "created_at")


def open_merge(source_id: int, *, into_id: int, reason: str, actor: str, note: str = "") -> Merge:
    """Locks both profiles and writes the merge down, before anything moves. Inside a transaction.

    Raises MergeRefused when one of them does not exist (any more), is the shell of an earlier merge, or when
    it is the same profile twice.
    """
    # The same order as every other writer, or two merges would wait for one another forever.
    found = list(Customer.objects.select_for_update().filter(pk__in=[source_id, into_id]).order_by("pk"))
    if len(found) < 2 or any(customer.merged_into_id for customer in found):
        raise MergeRefused
    return Merge.objects.create(
        survivor_id=into_id, source_id=source_id, reason=reason, actor=actor[:200], note=note[:300],
        merged_at=timezone.now(),
    )  # fmt: skip


@transaction.atomic
def absorb(merge: Merge, **moved: Any) -> None:
    """Moves ids, traits, consent and suppressions of the merged profile, and removes it. `moved`: what the
    caller has moved, for the record.

    What the survivor already states about itself wins; for consent the more restrictive statement does. Rows
    of other rooms follow where their model says so: a model with `follows_merge_by` (names of columns) gives
    its rows to the survivor unless the survivor has one with the same values. A profile that a ledger or an
    experiment refers to stays as an empty row without address, so that their counts still add up.
    """
    source = Customer.objects.get(pk=merge.source_id)
    record: dict[str, Any] = {**moved, "source": {name: _plain(getattr(source, name)) for name in STATE}}
    record["ids"] = _move_ids(source, merge.survivor_id)
    record["changed"] = _merge_profile(source, merge.survivor_id)
    record["consents"] = _merge_consent(merge)
    record["suppressions"] = _move(source.suppressions, customer_id=merge.survivor_id)
    record["hollows"] = _move(source.hollows, merged_into_id=merge.survivor_id)
    _move(source.merges, survivor_id=merge.survivor_id, within=merge)
    record["followers"] = _move_followers(merge)
    if _is_referred_to(source):
        blank = dict.fromkeys(COLUMNS, "")
        Customer.objects.filter(pk=source.pk).update(
            external_id=None, traits={}, merged_into=merge.survivor_id, **blank,
            # Who looks only at what changed (memberships of segments) hears that nobody is left here.
            updated_at=timezone.now(),
        )  # fmt: skip
    else:
        source.delete()
    Merge.objects.filter(pk=merge.pk).update(record=record)
    if external_id := record["changed"].get("external_id"):  # free only now that the source gave it up
        Customer.objects.filter(pk=merge.survivor_id).update(external_id=external_id[1])


def _move_ids(source: Customer, into_id: int) -> dict[str, list[int]]:
    """Which identifiers moved, and which were added for what the survivor does not state itself."""
    moved = _move(source.identifiers, customer_id=into_id)
    target = Customer.objects.get(pk=into_id)
    former = []
    if source.external_id and target.external_id:
        former.append((IdentifierKind.USER_ID, source.external_id))
    if source.email and target.email and source.email.lower() != target.email.lower():
        former.append((IdentifierKind.EMAIL, source.email.strip().lower()))
    if source.phone and target.phone and source.phone != target.phone:
        former.append((IdentifierKind.PHONE, source.phone))
    added = []
    for kind, value in former:
        row, is_new = Identifier.objects.get_or_create(
            kind=kind, value=value, defaults={"customer_id": into_id}
        )
        added += [row.pk] if is_new else []
    return {"moved": moved, "added": added}


def _merge_profile(source: Customer, into_id: int) -> dict[str, Any]:
    """What changed on the survivor: {column: [before, after]}, and the same of each trait in "traits"."""
    before = Customer.objects.values(*STATE).get(pk=into_id)
    with connection.cursor() as cursor:
        cursor.execute(_MERGE_TRAITS, [source.pk, into_id])
    after = Customer.objects.values(*STATE).get(pk=into_id)
    after["external_id"] = before["external_id"] or source.external_id
    changed: dict[str, Any] = {
        name: [_plain(before[name]), _plain(after[name])]
        for name in STATE
        if name != "traits" and before[name] != after[name]
    }
    changed["traits"] = {name: after["traits"][name] for name in after["traits"].keys() - before["traits"]}
    return changed


def _merge_consent(merge: Merge) -> dict[str, list[int]]:
    """The statements that moved, those of them that were current, and those that lost that mark."""
    stated = {
        (consent.channel, consent.topic): consent
        for consent in Consent.objects.filter(customer_id=merge.survivor_id, is_current=True)
    }
    current = list(Consent.objects.filter(customer_id=merge.source_id, is_current=True))
    lost = []
    for consent in current:
        other = stated.get((consent.channel, consent.topic))
        if other is None:
            continue
        loser = other if other.granted and not consent.granted else consent
        Consent.objects.filter(pk=loser.pk).update(is_current=False)
        lost.append(loser.pk)
    rows = Consent.objects.filter(customer_id=merge.source_id)
    moved = list(rows.values_list("pk", flat=True))
    rows.update(customer_id=merge.survivor_id)
    return {"moved": moved, "current": [consent.pk for consent in current], "lost": lost}


def _move_followers(merge: Merge) -> dict[str, list[Any]]:
    """Rows of any room that move, by model."""
    moved: dict[str, list[Any]] = {}
    for relation in _relations():
        columns = getattr(relation.related_model, "follows_merge_by", None)
        if columns is None:
            continue
        name, manager = relation.field.name, relation.related_model._base_manager
        same = {column: OuterRef(column) for column in columns}
        taken = Exists(manager.filter(**{name: merge.survivor_id}, **same))
        ids = _move(manager.filter(~taken, **{name: merge.source_id}), **{name: merge.survivor_id})
        if ids:
            moved[f"{relation.related_model._meta.label_lower}.{name}"] = ids
    return moved


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _move(rows: Any, **change: Any) -> list[Any]:
    """Changes rows and answers their keys."""
    ids = list(rows.values_list("pk", flat=True))
    if ids:
        rows.model._base_manager.filter(pk__in=ids).update(**change)
    return ids


def _relations() -> list[Any]:
    """Every foreign key of any room to a customer, those without a way back too."""
    fields = Customer._meta.get_fields(include_hidden=True)
    return [field for field in fields if field.auto_created and not field.concrete and field.one_to_many]


def _is_referred_to(customer: Customer) -> bool:
    """Whether any row of any room still points to this customer."""
    for relation in _relations():
        manager = relation.related_model._base_manager
        if manager.filter(**{relation.field.name: customer.pk}).exists():
            return True
    return False


_MERGE_TRAITS = """
    UPDATE customers_customer AS t SET traits = s.traits || t.traits, updated_at = now(),
        created_at = least(t.created_at, s.created_at), {columns}
    FROM customers_customer AS s WHERE s.id = %s AND t.id = %s
""".format(columns=", ".join(f"{name} = coalesce(nullif(t.{name}, ''), s.{name})" for name in COLUMNS))  # noqa: S608 - our own column names
