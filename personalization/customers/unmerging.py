"""A merge is taken back: both profiles stand as before it, as far as nobody changed them since.

What happened after the merge stays with the survivor: nobody can tell which of the two it was. One thing goes
to both, a withdrawal of consent, for silence is the safer mistake. The caller moves the events back.
"""

from datetime import datetime
from typing import Any

from django.apps import apps
from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from personalization.customers.errors import UnmergeRefused
from personalization.customers.merging import STATE
from personalization.customers.models import Consent, Customer, Identifier, Merge, Suppression


def reopen_merge(merge_id: int) -> Merge:
    """Locks a merge and its survivor. Inside a transaction.

    Raises UnmergeRefused when it was undone already, or the survivor was itself merged since.
    """
    merge = Merge.objects.select_for_update().filter(pk=merge_id).first()
    if merge is None or merge.undone_at:
        raise UnmergeRefused
    if merge.within_id:
        raise UnmergeRefused(f"Undo the later merge {merge.within_id} first.")
    people = Customer.objects.select_for_update().filter(pk__in=[merge.survivor_id, merge.source_id])
    list(people.order_by("pk"))  # to lock them
    return merge


@transaction.atomic
def restore(merge: Merge, *, actor: str) -> Customer:
    """The merged profile again, with all that moved. Raises UnmergeRefused when its customer id or place was
    taken meanwhile."""
    record = merge.record
    _revert_survivor(merge)
    source = _restore_source(merge)
    # An id that a third profile took over since stays there.
    ours = Identifier.objects.filter(customer_id=merge.survivor_id)
    ours.filter(pk__in=record["ids"]["added"]).delete()
    ours.filter(pk__in=record["ids"]["moved"]).update(customer_id=source.pk)
    Suppression.objects.filter(pk__in=record["suppressions"]).update(customer_id=source.pk)
    Customer.objects.filter(pk__in=record["hollows"]).update(merged_into=source.pk)
    Merge.objects.filter(within=merge).update(survivor_id=source.pk, within=None)
    _restore_consent(merge)
    _restore_followers(merge)
    Merge.objects.filter(pk=merge.pk).update(undone_at=timezone.now(), undone_by=actor[:200])
    return source


def _revert_survivor(merge: Merge) -> None:
    """A value that came by the merge goes again, unless somebody has changed it since."""
    survivor = Customer.objects.get(pk=merge.survivor_id)
    for name, change in merge.record["changed"].items():
        if name == "traits":
            for trait, after in change.items():
                if survivor.traits.get(trait) == after:
                    del survivor.traits[trait]
            continue
        before, after = (_moment(value) if name == "created_at" else value for value in change)
        if getattr(survivor, name) == after:
            setattr(survivor, name, before)
    survivor.save()


def _restore_source(merge: Merge) -> Customer:
    state: dict[str, Any] = {name: merge.record["source"][name] for name in STATE}
    state["created_at"] = _moment(state["created_at"])
    taken = Customer.objects.filter(external_id=state["external_id"]) if state["external_id"] else None
    if taken is not None and taken.exclude(pk=merge.source_id).exists():
        raise UnmergeRefused("Its customer id belongs to another profile now.")
    source, _ = Customer.objects.update_or_create(pk=merge.source_id, defaults={**state, "merged_into": None})
    return source


def _restore_consent(merge: Merge) -> None:
    """Statements go back where they came from; the current ones are current again. A withdrawal since the
    merge holds for both."""
    kept = merge.record["consents"]
    moved = set(kept["moved"])
    since = Consent.objects.filter(customer_id=merge.survivor_id, is_current=True).exclude(pk__in=moved)
    since = since.filter(recorded_at__gte=merge.merged_at)
    withdrawn = [statement for statement in since if not statement.granted]
    spoken = {(statement.channel, statement.topic) for statement in since}
    back = Consent.objects.filter(pk__in=moved, customer_id=merge.survivor_id)
    back.update(customer_id=merge.source_id, is_current=False)
    for statement in Consent.objects.filter(pk__in={*kept["current"], *kept["lost"]}):
        if statement.customer_id == merge.source_id or (statement.channel, statement.topic) not in spoken:
            Consent.objects.filter(pk=statement.pk).update(is_current=True)
    for statement in withdrawn:
        same = {"channel": statement.channel, "topic": statement.topic, "is_current": True}
        Consent.objects.filter(customer_id=merge.source_id, **same).update(is_current=False)
        statement.pk, statement.customer_id = None, merge.source_id
        statement._state.adding = True
        statement.save()


def _restore_followers(merge: Merge) -> None:
    for label, ids in merge.record["followers"].items():
        app, model, name = label.split(".")
        keys = [tuple(key) if isinstance(key, list) else key for key in ids]
        rows = apps.get_model(app, model)._base_manager.filter(pk__in=keys, **{name: merge.survivor_id})
        rows.update(**{name: merge.source_id})


def _moment(value: Any) -> datetime | None:
    return parse_datetime(value) if isinstance(value, str) else value
