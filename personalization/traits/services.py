"""Keeping computed traits true: definitions are checked, values follow the events."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import DatabaseError, connection, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from personalization.customers.declarations import TraitDeclaration
from personalization.customers.errors import InvalidTraits
from personalization.customers.models import Customer, Merge
from personalization.customers.services import write_traits
from personalization.customers.trait_history import TraitChange
from personalization.customers.traits import SplitTraits, column_of
from personalization.events.models import Event
from personalization.traits.kind import TraitKind
from personalization.traits.lifetime import TooLittleData
from personalization.traits.models import TraitDefinition
from personalization.traits.registry import kind_of, trait_kinds

CHUNK = 2_000
# An event is stamped before it is committed: what was received shortly before the last look may be new.
OVERLAP = timedelta(minutes=2)
LEASE = timedelta(minutes=30)
# Too little data does not become enough within minutes, and looking costs a read of all.
RETRY = timedelta(hours=1)
DAY = timedelta(days=1)
log = structlog.get_logger(__name__)


def check_definition(definition: TraitDefinition) -> None:
    """Raises InvalidTraits, which names the field."""
    wrong = []
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,59}", definition.name) or column_of(definition.name):
        wrong.append(("/name", _("Small letters, digits and _; not the name of a standard trait.")))
    elif TraitDeclaration.objects.filter(name=definition.name).exists():
        wrong.append(("/name", _("A declared trait has this name.")))
    kind = trait_kinds().get(definition.kind)
    if kind is None:
        wrong.append(("/kind", _("One of: %(kinds)s.") % {"kinds": ", ".join(trait_kinds())}))
    elif "text_source" in kind.uses and definition.text_source is None:
        wrong.append(("/kind", _("Traits of texts come with a text source: declare one.")))
    elif "event" in kind.uses and not definition.event:
        wrong.append(("/event", _("This kind needs the name of an event.")))
    plain = (str, int, float, bool)
    if not isinstance(definition.filter, dict) or not all(
        isinstance(value, plain) for value in definition.filter.values()
    ):
        wrong.append(("/filter", _("A JSON object of properties and plain values.")))
    if definition.window_days is not None and not 1 <= definition.window_days <= 36_500:
        wrong.append(("/window_days", _("1 to 36500 days.")))
    if wrong:
        raise InvalidTraits(wrong[0][1], errors=[{"pointer": p, "detail": text} for p, text in wrong])


@transaction.atomic
def save_definition(definition: TraitDefinition) -> TraitDefinition:
    """Stores a new or changed definition; everybody is computed anew. Raises InvalidTraits."""
    check_definition(definition)
    before = TraitDefinition.objects.filter(pk=definition.pk).first() if definition.pk else None
    if before and before.name != definition.name:
        remove_values(before.name)
    definition.refreshed_at = definition.full_at = definition.leased_until = None
    definition.state, definition.problem = {}, ""
    definition.save()
    return definition


@transaction.atomic
def remove_definition(definition: TraitDefinition) -> None:
    """The definition goes, and its values with it."""
    remove_values(definition.name)
    definition.delete()


def remove_values(name: str) -> None:
    """From all profiles, with a line in the history of each, by which segments hear of it. The profiles count
    as untouched, as after every refresh: their people did nothing."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH changed AS (UPDATE customers_customer SET traits = traits - %(name)s"
            " WHERE traits ? %(name)s RETURNING id)"
            " INSERT INTO customers_traitchange (customer_id, name, value, changed_at)"
            " SELECT id, %(name)s, 'null', %(now)s FROM changed",
            {"name": name, "now": timezone.now()},
        )


def refresh_due(*, now: datetime, prompt: bool = False) -> int:
    """Refreshes every active trait that nobody else is at; answers how many values changed.

    `prompt`: only those of kinds that follow within seconds, as far as they need no long look at everybody.
    One that fails keeps its lease, so it is tried again later, and does not hold up the others.
    """
    active = TraitDefinition.objects.filter(is_active=True, kind__in=trait_kinds())
    hopeless = ~Q(problem="") & Q(refreshed_at__gt=now - RETRY)
    changed = 0
    due = active.exclude(hopeless)
    if prompt:
        prompt_kinds = [name for name, kind in trait_kinds().items() if kind.is_prompt]
        due = due.filter(kind__in=prompt_kinds).exclude(full_at=None)
    for definition in due.order_by(F("refreshed_at").asc(nulls_first=True)):
        if prompt and _learning_due(definition, kind_of(definition.kind), now=now):
            continue
        try:
            changed += refresh(definition, now=now)
        except (DatabaseError, ArithmeticError, ValueError):
            log.exception("trait_not_refreshed", trait=definition.name)
    return changed


def refresh(definition: TraitDefinition, *, now: datetime) -> int:
    """Computes the values that may have changed since the last refresh; answers how many did.

    Those are of customers with events received since, or with an event that left a window meanwhile; of
    everybody the first time, after learning anew, and daily where time alone moves the value.
    """
    free = Q(leased_until=None) | Q(leased_until__lt=now)
    taken = TraitDefinition.objects.filter(free, pk=definition.pk).update(leased_until=now + LEASE)
    if not taken:
        return 0
    definition.refresh_from_db()
    kind = kind_of(definition.kind)
    try:
        full = _learn(definition, kind, now=now)
    except TooLittleData as error:
        # What can no longer be told is not kept as if it could.
        if definition.covered:
            remove_values(definition.name)
            definition.covered = 0
        _finish(definition, now=now, problem=str(error) or kind.too_little)
        return 0
    ids = _everybody() if full else _stale(definition, kind, now=now)
    changed = gained = 0
    for chunk in ids:
        difference = _refresh_chunk(definition, kind, chunk, now=now)
        changed, gained = changed + difference[0], gained + difference[1]
    definition.covered = max(definition.covered + gained, 0)
    _finish(definition, now=now, full=full)
    return changed


def _learn(definition: TraitDefinition, kind: TraitKind, *, now: datetime) -> bool:
    """Learns of all customers where that is due; True when everybody must be computed."""
    full = definition.full_at is None or (kind.is_daily and now - definition.full_at >= DAY)
    if _learning_due(definition, kind, now=now):
        definition.state = {**kind.learn(definition, now=now), "learned_at": now.isoformat()}
        full = True
    return full


def _learning_due(definition: TraitDefinition, kind: TraitKind, *, now: datetime) -> bool:
    learned = definition.state.get("learned_at")
    if not kind.learns:
        return False
    if learned is None or now - datetime.fromisoformat(learned) >= kind.relearn_days * DAY:
        return True
    return kind.is_outdated(definition)


def _finish(definition: TraitDefinition, *, now: datetime, full: bool = False, problem: str = "") -> None:
    if full:
        definition.full_at = now
    definition.refreshed_at, definition.leased_until, definition.problem = now, None, problem
    definition.save(update_fields=["refreshed_at", "full_at", "leased_until", "problem", "covered", "state"])


def _everybody() -> Iterable[list[int]]:
    last = 0
    while True:
        ids = list(Customer.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:CHUNK])
        if not ids:
            return
        last = ids[-1]
        yield ids


def _stale(definition: TraitDefinition, kind: TraitKind, *, now: datetime) -> Iterable[list[int]]:
    since = definition.refreshed_at
    assert since is not None
    # Who gave events back has none that were received since.
    undone = Merge.objects.filter(undone_at__gt=since - OVERLAP)
    ids = set(undone.values_list("survivor_id", flat=True))
    if traits := kind.traits(definition):
        changes = TraitChange.objects.filter(name__in=traits, changed_at__gt=since - OVERLAP)
        ids.update(changes.values_list("customer_id", flat=True).distinct())
        return _in_chunks(ids)
    names = kind.events(definition)
    events = Event.objects.filter(name__in=names) if names else Event.objects.all()
    new = events.filter(received_at__gt=since - OVERLAP)
    ids.update(new.values_list("customer_id", flat=True).distinct())
    for days in kind.boundaries(definition):
        window = timedelta(days=days)
        # Both ends: what was on the edge at the last look may have been inside of it still.
        left = events.filter(occurred_at__gte=since - window, occurred_at__lte=now - window)
        ids.update(left.values_list("customer_id", flat=True).distinct())
    return _in_chunks(ids)


def _in_chunks(customer_ids: Iterable[int]) -> Iterable[list[int]]:
    ordered = sorted(customer_ids)
    return (ordered[at : at + CHUNK] for at in range(0, len(ordered), CHUNK))


@transaction.atomic
def _refresh_chunk(
    definition: TraitDefinition, kind: TraitKind, ids: Sequence[int], *, now: datetime
) -> tuple[int, int]:
    """How many values changed, and how many more customers have one."""
    name = definition.name
    values = kind.compute(definition, ids, now=now)
    before: dict[int, Any] = {
        pk: traits.get(name) for pk, traits in Customer.objects.filter(pk__in=ids).values_list("pk", "traits")
    }
    changes = [
        (pk, SplitTraits({}, {name: values.get(pk)})) for pk, old in before.items() if old != values.get(pk)
    ]
    write_traits(changes, by_us=True)
    had = sum(value is not None for value in before.values())
    return len(changes), sum(pk in before for pk in values) - had
