"""The catalog of traits: standard, computed, declared, and discovered in what came in."""

from dataclasses import dataclass, field
from typing import Any

from personalization.customers.declarations import Sensitivity, TraitDeclaration
from personalization.customers.discovered import Seen, seen_traits
from personalization.customers.models import Customer
from personalization.customers.trait_rules import TraitRule, fits
from personalization.customers.traits import COLUMNS
from personalization.privacy.floor import smallest_cell
from personalization.traits.models import TraitDefinition
from personalization.traits.registry import trait_kinds

STANDARD, COMPUTED, DECLARED, DISCOVERED = "standard", "computed", "declared", "discovered"


@dataclass(frozen=True)
class Entry:
    """`customers`: with a value, among the newest profiles that were looked at. `misfits`: values of those
    that a declaration would not take. `suggestion`: a rule for a discovered trait."""

    name: str
    origin: str
    value_type: str = ""
    description: str = ""
    source: str = ""
    sensitivity: str = ""
    is_encrypted: bool = False
    customers: int = 0
    misfits: int = 0
    examples: list[str] = field(default_factory=list)
    suggestion: TraitRule | None = None


def read_catalog() -> list[Entry]:
    """Declared first, then discovered by how many have them, computed, standard."""
    seen = seen_traits()
    declarations = {found.name: found for found in TraitDeclaration.objects.all()}
    computed = {found.name: found for found in TraitDefinition.objects.all()}
    entries = [_declared(found, seen.get(name)) for name, found in declarations.items()]
    entries += [
        _discovered(found)
        for name, found in seen.items()
        if name not in declarations and name not in computed
    ]
    entries += [_computed(found, seen.get(name)) for name, found in computed.items()]
    return entries + [_standard(name) for name in COLUMNS]


def suggestion_for(name: str) -> dict[str, Any]:
    """The fields of a declaration, as its values in the profiles suggest them."""
    found = seen_traits(only=name).get(name)
    rule = found.suggestion() if found else None
    return {"name": name} | ({"value_type": rule.value_type, "allowed": list(rule.allowed)} if rule else {})


def _declared(declaration: TraitDeclaration, seen: Seen | None) -> Entry:
    values = seen.values if seen else []
    shows = declaration.sensitivity != Sensitivity.SENSITIVE and not declaration.is_encrypted
    return Entry(
        declaration.name, DECLARED, declaration.value_type, declaration.description, declaration.source,
        declaration.sensitivity, declaration.is_encrypted,
        customers=seen.customers if seen else 0,
        misfits=len(values) - fits(declaration.rule, values),
        examples=seen.examples(floor=smallest_cell()) if seen and shows else [],
    )  # fmt: skip


def _discovered(seen: Seen) -> Entry:
    rule = seen.suggestion()
    return Entry(
        seen.name, DISCOVERED, rule.value_type if rule else "", customers=seen.customers,
        misfits=len(seen.values) - fits(rule, seen.values) if rule else 0,
        examples=seen.examples(floor=smallest_cell()), suggestion=rule,
    )  # fmt: skip


def _computed(definition: TraitDefinition, seen: Seen | None) -> Entry:
    kind = trait_kinds().get(definition.kind)
    formula = kind.formula(definition) if kind else ""
    return Entry(
        definition.name, COMPUTED, kind.value_type if kind else "", definition.description or formula,
        formula, customers=seen.customers if seen else 0,
        examples=seen.examples(floor=smallest_cell()) if seen else [],
    )  # fmt: skip


def _standard(name: str) -> Entry:
    column = Customer._meta.get_field(name)
    return Entry(
        name, STANDARD, "text", str(getattr(column, "help_text", "")), sensitivity=Sensitivity.PERSONAL.value
    )
