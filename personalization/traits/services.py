"""Definitions of computed traits: checked, saved, computed when asked, removed with their values."""

import re

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from personalization.access.services import audit
from personalization.customers.declarations import TraitDeclaration
from personalization.customers.errors import InvalidTraits
from personalization.customers.traits import column_of
from personalization.traits.models import TraitDefinition
from personalization.traits.registry import trait_kinds


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
    before = _lock(definition)
    if before and before.name != definition.name:
        remove_values(before.name)
    definition.refreshed_at = definition.full_at = definition.leased_until = definition.started_at = None
    definition.state, definition.problem = {}, ""
    definition.save()
    return definition


@transaction.atomic
def compute_anew(definition: TraitDefinition, *, actor: str) -> None:
    """Asks for the values of everybody, learned anew; switches it on if it was off."""
    definition.is_active, definition.full_at, definition.state, definition.problem = True, None, {}, ""
    definition.save(update_fields=["is_active", "full_at", "state", "problem"])
    audit(actor, "trait.asked", f"trait:{definition.name}")


@transaction.atomic
def stop_computing(definition: TraitDefinition, *, actor: str) -> None:
    """Switches it off: else the clock would soon begin again. What is under way ends after its chunk; values
    that are there stay."""
    definition.is_active, definition.leased_until, definition.started_at = False, None, None
    definition.save(update_fields=["is_active", "leased_until", "started_at"])
    audit(actor, "trait.stopped", f"trait:{definition.name}")


@transaction.atomic
def remove_definition(definition: TraitDefinition) -> None:
    """The definition goes, and its values with it."""
    _lock(definition)
    remove_values(definition.name)
    definition.delete()


def _lock(definition: TraitDefinition) -> TraitDefinition | None:
    """Before its values are removed: a refresh that writes a chunk holds the row, and after us ends."""
    return TraitDefinition.objects.select_for_update().filter(pk=definition.pk).first()


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
