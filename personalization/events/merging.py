"""Merges and their undoing with all events: the way by which everybody joins two profiles."""

import json
from typing import Any

from django.db import connection, transaction

from personalization.access.services import audit
from personalization.customers import merging, unmerging
from personalization.customers.models import Customer, Merge, MergeReason
from personalization.events.models import Event


@transaction.atomic
def merge_customers(source_id: int, *, into_id: int, reason: str, actor: str, note: str = "") -> Merge:
    """One profile out of two. Where only the source has a customer id, it is the one that stays.

    Raises MergeRefused.
    """
    named = set(
        Customer.objects.filter(pk__in=[source_id, into_id])
        .exclude(external_id=None)
        .values_list("pk", flat=True)
    )
    if named == {source_id}:
        source_id, into_id = into_id, source_id
    merge = merging.open_merge(source_id, into_id=into_id, reason=reason, actor=actor, note=note)
    moved, doubles = move_events(source_id, to_id=into_id, merge_id=merge.pk)
    merging.absorb(merge, events=moved, double_events=doubles)
    return merge


@transaction.atomic
def unmerge(merge_id: int, *, actor: str) -> Customer:
    """Both profiles again; answers the one that was merged. Its events go back, those since the merge stay.

    Raises UnmergeRefused.
    """
    merge = unmerging.reopen_merge(merge_id)
    source = unmerging.restore(merge, actor=actor)
    _return_events(merge)
    return source


@transaction.atomic
def merge_by_hand(source_id: int, *, into_id: int, actor: str, note: str = "") -> Merge:
    """As `merge_customers`, with an entry in the audit log."""
    merge = merge_customers(source_id, into_id=into_id, reason=MergeReason.STAFF, actor=actor, note=note)
    audit(actor, "customer.merged", f"customer:{merge.survivor_id}", merge=merge.pk, source=merge.source_id)
    return merge


@transaction.atomic
def unmerge_by_hand(merge_id: int, *, actor: str) -> Customer:
    """As `unmerge`, with an entry in the audit log."""
    customer = unmerge(merge_id, actor=actor)
    survivor_id = Merge.objects.values_list("survivor_id", flat=True).get(pk=merge_id)
    audit(actor, "customer.unmerged", f"customer:{survivor_id}", merge=merge_id, source=customer.pk)
    return customer


def move_events(customer_id: int, *, to_id: int, merge_id: int = 0) -> tuple[int, list[dict[str, Any]]]:
    """Gives one customer's events to another; a message both have stays once.

    Answers how many moved, and the copies that went.
    """
    with connection.cursor() as cursor:
        # Writers of events hold FOR KEY SHARE: they finish first, or wait for us and find the visitor gone.
        cursor.execute(
            "SELECT id FROM customers_customer WHERE id = ANY(%s) ORDER BY id FOR UPDATE",
            [[customer_id, to_id]],
        )
        cursor.execute(
            "WITH gone AS (DELETE FROM events_event AS e USING events_event AS kept WHERE e.customer_id = %s"
            " AND kept.customer_id = %s AND kept.message_key = e.message_key RETURNING e.*)"
            " SELECT coalesce(jsonb_agg(to_jsonb(gone)), '[]') FROM gone",
            [customer_id, to_id],
        )
        doubles = json.loads(cursor.fetchone()[0])
        # Received anew by the customer that keeps them: whoever has already counted them counts again. An
        # event tells every merge that it went through, so that each can be taken back.
        cursor.execute(
            "UPDATE events_event SET customer_id = %s, received_at = now(), context = context ||"
            " jsonb_build_object('joined_from',"
            " coalesce(context -> 'joined_from', '[]') || to_jsonb(%s::bigint)) WHERE customer_id = %s",
            [to_id, merge_id, customer_id],
        )
        return cursor.rowcount, doubles


def _return_events(merge: Merge) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE events_event SET customer_id = %(to)s, received_at = now(), context = jsonb_set(context,"
            " '{joined_from}', coalesce((SELECT jsonb_agg(j) FROM jsonb_array_elements("
            "context -> 'joined_from') AS j WHERE j <> to_jsonb(%(merge)s::bigint)), '[]'))"
            " WHERE customer_id = %(from)s AND jsonb_typeof(context -> 'joined_from') = 'array'"
            " AND context -> 'joined_from' @> to_jsonb(%(merge)s::bigint)",
            {"to": merge.source_id, "from": merge.survivor_id, "merge": merge.pk},
        )
        table = Event._meta.db_table
        cursor.execute(
            f"INSERT INTO {table} SELECT * FROM jsonb_populate_recordset(NULL::{table}, %s::jsonb)"  # noqa: S608
            " ON CONFLICT DO NOTHING",
            [json.dumps(merge.record["double_events"])],
        )
