"""Right to erasure: every row goes or leads to nobody, and a certificate tells what was done.

What stays is what no longer speaks of the person: keyed hashes of their addresses, so that a later import
does not write to them again, and the counts of experiments, which then belong to an empty row without a past.
"""

from dataclasses import dataclass, field
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Model
from django.utils import timezone

from personalization.customers.models import Channel, Customer, SuppressionReason
from personalization.customers.services import suppress
from personalization.personal_data import AtErasure, Person, PersonalData
from personalization.privacy import remembered
from personalization.privacy.declared import declared, rows_of, stores
from personalization.privacy.leftovers import redact_mentions
from personalization.privacy.person import describe


@dataclass
class Erased:
    """Counts by table. `needles` are for the search afterwards and are never stored."""

    needles: tuple[str, ...] = ()
    deleted: dict[str, int] = field(default_factory=dict)
    anonymized: dict[str, int] = field(default_factory=dict)
    elsewhere: dict[str, int] = field(default_factory=dict)
    mentions: int = 0
    suppressed: int = 0


@transaction.atomic
def erase(customer_id: int) -> Erased | None:
    """All or nothing. None when there is no such customer (any more)."""
    customer = Customer.objects.select_for_update().filter(pk=customer_id, erased_at=None).first()
    if customer is None:
        return None
    person = describe(customer)
    remembered.remember(person.customer_ids)
    erased = Erased(needles=person.needles, suppressed=_suppress(person))
    # Before the rows go: a store may find its own by them, and a failure of one undoes everything.
    for store in stores():
        erased.elsewhere[store.name] = store.erase(person)
    rests: dict[int, int] = {}
    for model, data in declared():
        if model is not Customer:
            counts = erased.deleted if data.at_erasure == AtErasure.DELETE else erased.anonymized
            counts[model._meta.db_table] = _treat(model, data, person, rests)
    erased.elsewhere["admin log"] = _forget_admin_log(person)
    erased.deleted[Customer._meta.db_table] = len(person.customer_ids)
    Customer.objects.filter(pk__in=person.customer_ids).update(merged_into=None)
    Customer.objects.filter(pk__in=person.customer_ids).delete()
    erased.mentions = redact_mentions(person.needles)
    return erased


def _suppress(person: Person) -> int:
    """So that an import of next week does not write to them again."""
    count = 0
    for channel in set(Channel.values) & person.addresses.keys():
        for address in person.addresses[channel]:
            suppress(channel=channel, address=address, reason=SuppressionReason.ERASED)
            count += 1
    return count


def _treat(model: type[Model], data: PersonalData, person: Person, rests: dict[int, int]) -> int:
    rows = rows_of(model, data, person.customer_ids)
    if data.at_erasure == AtErasure.DELETE:
        count = rows.count()
        rows.delete()
        return count
    if "__" in data.path:  # the row it hangs on is anonymized itself
        return rows.update(**data.clear) if data.clear else rows.count()
    if model._meta.get_field(data.path).null:
        return rows.update(**{data.path: None}, **data.clear)
    count = 0
    # One for each profile: a merged one may have had a variant of its own.
    for customer_id in sorted(set(rows.values_list(f"{data.path}_id", flat=True))):
        if customer_id not in rests:
            rests[customer_id] = _make_rest().pk
        own = rows.filter(**{f"{data.path}_id": customer_id})
        count += own.update(**{f"{data.path}_id": rests[customer_id]}, **data.clear)
    return count


def _make_rest() -> Customer:
    """The row that the counts of experiments belong to: a new number, which nobody outside has ever seen, and
    no time but the day of the erasure."""
    day = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    return Customer.objects.create(created_at=day, erased_at=day)


def _forget_admin_log(person: Person) -> int:
    """Django's own history of admin forms names its objects by their text, which is the person's name."""
    of_customers = ContentType.objects.get_for_model(Customer)
    ids = [str(pk) for pk in person.customer_ids]
    count, _each = LogEntry.objects.filter(content_type=of_customers, object_id__in=ids).delete()
    return count


def as_document(erased: Erased) -> dict[str, Any]:
    return {
        "deleted": {table: n for table, n in erased.deleted.items() if n},
        "anonymized": {table: n for table, n in erased.anonymized.items() if n},
        "elsewhere": {name: n for name, n in erased.elsewhere.items() if n},
        "mentions_removed": erased.mentions,
        "addresses_suppressed": erased.suppressed,
    }
