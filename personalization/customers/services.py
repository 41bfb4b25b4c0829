"""Writes of the customers room: consent, suppression, traits. Who is who is decided in `identity`."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from psycopg.types.json import Jsonb

from personalization.customers.addresses import address_hash
from personalization.customers.declared import Refusal, Settled, check_traits, seal, settle
from personalization.customers.errors import InvalidConsent, UnknownCustomer
from personalization.customers.identity import Resolved, link, resolve
from personalization.customers.models import (
    Channel,
    Consent,
    Customer,
    Suppression,
    SuppressionReason,
    Wording,
)
from personalization.customers.origins import keep_origin
from personalization.customers.traits import COLUMNS, SplitTraits, clean_text, split_traits

__all__ = [
    "Resolved", "address_hash", "link", "record_consent", "resolve", "suppress", "unsuppress",
    "update_traits", "write_traits",
]  # fmt: skip


@dataclass(frozen=True)
class Proof:
    """What shows that a statement was made: the words agreed to, from where (a network address as it came, or
    what `origins.keep_origin` made of it), and for a double opt-in when the form was sent."""

    wording: str = ""
    origin_address: str = ""
    requested_at: datetime | None = None


NO_PROOF = Proof()


def check_topic(*, channel: str, topic: str) -> None:
    """Raises InvalidConsent."""
    if channel not in Channel.values:
        raise InvalidConsent(f"There is no channel {channel!r}.")
    if not topic or len(topic) > 50 or "\0" in topic:
        raise InvalidConsent("A topic has 1 to 50 characters.")


def keep_wording(text: str) -> Wording | None:
    """The row of these very words; None for no words."""
    text = clean_text(text).strip()
    if not text:
        return None
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Wording.objects.get_or_create(sha256=digest, defaults={"text": text})[0]


@transaction.atomic
def record_consent(
    customer_id: int, *, channel: str, topic: str, granted: bool, source: str, at: datetime | None = None,
    proof: Proof = NO_PROOF,
) -> Consent:  # fmt: skip
    """Appends a statement and makes it the current one, unless a later statement is already on record.

    Late news is welcome: it is kept as history and does not undo what the customer said afterwards.
    Raises UnknownCustomer, InvalidConsent.
    """
    check_topic(channel=channel, topic=topic)
    # The customer's row is the queue in which concurrent statements about one customer line up.
    if not Customer.objects.select_for_update(of=("self",), no_key=True).filter(pk=customer_id).exists():
        raise UnknownCustomer
    at = at or timezone.now()
    current = Consent.objects.filter(customer_id=customer_id, channel=channel, topic=topic, is_current=True)
    is_newest = not current.filter(recorded_at__gt=at).exists()
    if is_newest:
        current.update(is_current=False)
    return Consent.objects.create(
        customer_id=customer_id, channel=channel, topic=topic, granted=granted, source=source[:100],
        recorded_at=at, is_current=is_newest, wording=keep_wording(proof.wording),
        origin=keep_origin(proof.origin_address), requested_at=proof.requested_at,
    )  # fmt: skip


@transaction.atomic
def suppress(*, channel: str, address: str, reason: str, customer_id: int | None = None) -> Suppression:
    """Puts an address on the channel's suppression list. Twice changes nothing: the first reason stays."""
    if reason not in SuppressionReason.values:
        raise ValueError(f"unknown reason {reason!r}")
    entry, _ = Suppression.objects.get_or_create(
        channel=channel,
        address_hash=address_hash(channel, address),
        defaults={"reason": reason, "customer_id": customer_id},
    )
    return entry


def unsuppress(*, channel: str, address: str) -> bool:
    """Takes an address off the list (a member of staff answers for it). False when it was not there."""
    deleted, _ = Suppression.objects.filter(
        channel=channel, address_hash=address_hash(channel, address)
    ).delete()
    return bool(deleted)


def update_traits(customer_id: int, traits: Mapping[str, Any]) -> None:
    """Merges traits into one profile; None removes a trait. Raises UnknownCustomer, InvalidTraits."""
    if not Customer.objects.filter(pk=customer_id).exists():
        raise UnknownCustomer
    split = split_traits(traits)
    check_traits(split.others)
    write_traits([(customer_id, split)])


def write_traits(changes: Sequence[tuple[int, SplitTraits]], *, by_us: bool = False) -> list[Refusal]:
    """Merges traits into many profiles in one statement; several changes of one customer apply in order.

    Answers the values that a declaration refuses; everything else is written. Every changed value goes to the
    history. `by_us`: computed by us, the profile itself counts as untouched and no declaration is asked.
    Locks the customers in the order of their ids, so that concurrent batches wait instead of deadlocking.
    """
    if not changes:
        return []
    settled = Settled(list(changes)) if by_us else settle(changes)
    merged: dict[int, tuple[dict[str, str], dict[str, Any]]] = {}
    for customer_id, split in settled.changes:
        columns, others = merged.setdefault(customer_id, ({}, {}))
        columns.update(split.columns)
        others.update(split.others)
    merged = {pk: entry for pk, entry in merged.items() if entry[0] or entry[1]}
    if not merged:
        return settled.refusals
    ids = sorted(merged)
    gone = [[name for name, value in merged[pk][1].items() if value is None] for pk in ids]
    kept = [Jsonb({k: v for k, v in merged[pk][1].items() if v is not None}) for pk in ids]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM customers_customer WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE", [ids]
        )
        now = timezone.now()
        values: list[Any] = [
            ids, kept, [Jsonb(names) for names in gone],
            *([merged[pk][0].get(column) for pk in ids] for column in COLUMNS),
        ]  # fmt: skip
        cursor.execute(_KEEP_HISTORY, [*values, now])
        cursor.execute(_UPDATE_TRAITS, [None if by_us else now, *values])
        seal(settled.sealed)
    return settled.refusals


_NEW_VALUES = (
    "unnest(%s::bigint[], %s::jsonb[], %s::jsonb[], {arrays}) AS n(id, kept, gone, {columns})".format(
        arrays=", ".join("%s::text[]" for _ in COLUMNS), columns=", ".join(COLUMNS)
    )
)
_UPDATE_TRAITS = """
    UPDATE customers_customer AS c SET {assignments},
        traits = (c.traits || n.kept) - ARRAY(SELECT jsonb_array_elements_text(n.gone)),
        updated_at = coalesce(%s, c.updated_at)
    FROM {values} WHERE c.id = n.id
""".format(  # noqa: S608 - only our own column names
    assignments=", ".join(f"{name} = coalesce(n.{name}, c.{name})" for name in COLUMNS), values=_NEW_VALUES
)
_KEEP_HISTORY = """
    WITH n AS (SELECT * FROM {values}), c AS (SELECT c.* FROM customers_customer AS c JOIN n USING (id))
    INSERT INTO customers_traitchange (customer_id, name, value, changed_at)
    SELECT v.id, v.name, v.value, %s FROM (
        SELECT n.id, kept.key AS name, kept.value FROM n JOIN c USING (id), jsonb_each(n.kept) AS kept
        WHERE c.traits -> kept.key IS DISTINCT FROM kept.value
        UNION ALL
        SELECT n.id, g.name, 'null' FROM n JOIN c USING (id), jsonb_array_elements_text(n.gone) AS g(name)
        WHERE c.traits ? g.name
        UNION ALL
        SELECT n.id, v.name, to_jsonb(v.new)
        FROM n JOIN c USING (id), LATERAL (VALUES {pairs}) AS v(name, old, new)
        WHERE v.new <> v.old
    ) AS v
""".format(  # noqa: S608 - only our own column names
    values=_NEW_VALUES, pairs=", ".join(f"('{name}', c.{name}, n.{name})" for name in COLUMNS)
)
