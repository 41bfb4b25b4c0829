"""Values on their way in, held against the declarations: read as their type, refused, or put under seal."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from personalization.customers.declarations import SealedTrait, TraitDeclaration
from personalization.customers.errors import InvalidTraits
from personalization.customers.trait_rules import KEEP, TraitRule
from personalization.customers.traits import SplitTraits

SEALED = "[encrypted]"  # what the profile holds in place of the value
MOST_ROWS = 1_000


class Refusal(NamedTuple):
    """One value that was not taken, by the position of its change; everything else of the change was."""

    position: int
    name: str
    reason: str


@dataclass
class Settled:
    """`sealed`: the values to encrypt, by customer and name; None removes one."""

    changes: list[tuple[int, SplitTraits]] = field(default_factory=list)
    sealed: dict[tuple[int, str], Any] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)


def rules_of(names: Iterable[str] | None = None) -> dict[str, TraitRule]:
    """Rules of those that are declared; None: of all."""
    found = (
        TraitDeclaration.objects.all()
        if names is None
        else TraitDeclaration.objects.filter(name__in=set(names))
    )
    return {declaration.name: declaration.rule for declaration in found}


def check_traits(traits: Mapping[str, Any]) -> None:
    """Raises InvalidTraits that names every value which a declaration refuses."""
    settled = settle([(0, SplitTraits({}, dict(traits)))])
    if settled.refusals:
        errors = [{"pointer": f"/traits/{one.name}", "detail": one.reason} for one in settled.refusals]
        first = settled.refusals[0]
        raise InvalidTraits(f"{first.name}: {first.reason}", errors=errors)


def settle(
    changes: Sequence[tuple[int, SplitTraits]], rules: Mapping[str, TraitRule] | None = None
) -> Settled:
    """`rules`: None looks them up, which is one query. A removal (None) is always taken."""
    if rules is None:
        rules = rules_of(name for _pk, split in changes for name in split.others)
    if not rules:
        return Settled(list(changes))
    settled = Settled()
    for position, (customer_id, split) in enumerate(changes):
        others = dict(split.others)
        for name in rules.keys() & others.keys():
            value, reason = apply_rule(rules[name], others[name])
            if reason:
                settled.refusals.append(Refusal(position, name, reason))
                del others[name]
                continue
            others[name] = value
            if rules[name].is_encrypted and value != SEALED:
                settled.sealed[customer_id, name] = value
                others[name] = None if value is None else SEALED
            elif rules[name].is_encrypted:
                del others[name]  # somebody sends back what they were shown
        settled.changes.append((customer_id, split._replace(others=others)))
    return settled


def apply_rule(rule: TraitRule, value: Any) -> tuple[Any, str]:
    """The value to store and "", or None and why it is refused."""
    if value is None or (rule.is_encrypted and value == SEALED):
        return value, ""
    try:
        return rule.check(value), ""
    except InvalidTraits as error:
        return (value, "") if rule.on_bad_value == KEEP else (None, error.detail)


def seal(values: Mapping[tuple[int, str], Any]) -> None:
    """Writes values encrypted, and removes those that are None. The caller has locked their customers."""
    if not values:
        return
    gone = [key for key, value in values.items() if value is None]
    for customer_id, name in gone:
        SealedTrait.objects.filter(customer_id=customer_id, name=name).delete()
    rows = [
        SealedTrait(customer_id=pk, name=name, value=json.dumps(value, ensure_ascii=False))
        for (pk, name), value in sorted(values.items(), key=lambda entry: entry[0])
        if value is not None
    ]
    SealedTrait.objects.bulk_create(
        rows, batch_size=MOST_ROWS, update_conflicts=True, unique_fields=["customer", "name"],
        update_fields=["value"],
    )  # fmt: skip


def unseal(traits_by_customer: Mapping[int, dict[str, Any]]) -> None:
    """Puts the values in place of their marks; one query, and none where there is no mark."""
    marked = {pk for pk, traits in traits_by_customer.items() if SEALED in traits.values()}
    if not marked:
        return
    for row in SealedTrait.objects.filter(customer_id__in=marked):
        traits = traits_by_customer[row.customer_id]
        if traits.get(row.name) == SEALED:
            traits[row.name] = json.loads(row.value)
