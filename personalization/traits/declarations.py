"""Declaring traits: what is stated about them is checked, and values move under seal or out of it."""

import json
from collections.abc import Callable

from django.db import connection, transaction
from django.utils.translation import gettext as _

from personalization.customers.declarations import SealedTrait, TraitDeclaration, ValueType
from personalization.customers.declared import SEALED, seal
from personalization.customers.errors import InvalidTraits
from personalization.customers.models import Customer
from personalization.customers.trait_rules import TraitRule
from personalization.customers.traits import clean_text, column_of
from personalization.traits.models import TraitDefinition

BATCH = 1_000
MOST_ALLOWED = 1_000
_RANGED = {ValueType.TEXT, ValueType.LIST, ValueType.NUMBER, ValueType.WHOLE}


def check_declaration(declaration: TraitDeclaration) -> None:
    """Makes `allowed` values of the type. Raises InvalidTraits, which names the fields."""
    wrong = []
    name = declaration.name
    if not 0 < len(name) <= 200 or clean_text(name) != name or name != name.strip() or "\n" in name:
        wrong.append(("/name", _("1 to 200 characters, without spaces around them.")))
    elif column_of(name):
        wrong.append(("/name", _("A standard trait has its type already.")))
    elif TraitDefinition.objects.filter(name=name).exists():
        wrong.append(("/name", _("A computed trait has this name.")))
    if declaration.value_type not in ValueType.values:
        wrong.append(("/value_type", _("One of: %(kinds)s.") % {"kinds": ", ".join(ValueType.values)}))
    else:
        wrong += _check_limits(declaration)
    if wrong:
        raise InvalidTraits(wrong[0][1], errors=[{"pointer": p, "detail": text} for p, text in wrong])


def _check_limits(declaration: TraitDeclaration) -> list[tuple[str, str]]:
    wrong = []
    allowed = declaration.allowed
    if not isinstance(allowed, list) or len(allowed) > MOST_ALLOWED:
        return [("/allowed", _("A list of at most %(limit)s values.") % {"limit": MOST_ALLOWED})]
    entries = ValueType.TEXT if declaration.value_type == ValueType.LIST else declaration.value_type
    try:
        declaration.allowed = [TraitRule(declaration.name, entries).check(value) for value in allowed]
    except InvalidTraits as error:
        wrong.append(("/allowed", _("An allowed value is %(problem)s.") % {"problem": error.detail}))
    low, high = declaration.minimum, declaration.maximum
    if declaration.value_type not in _RANGED and (low is not None or high is not None):
        wrong.append(("/minimum", _("Only numbers, texts and lists have a range.")))
    elif low is not None and high is not None and low > high:
        wrong.append(("/maximum", _("The maximum is below the minimum.")))
    return wrong


@transaction.atomic
def save_declaration(declaration: TraitDeclaration) -> TraitDeclaration:
    """Stores a new or changed declaration. Values that are there stay as they are; `move_values` then puts
    them under seal or out of it. Raises InvalidTraits."""
    check_declaration(declaration)
    before = TraitDeclaration.objects.filter(pk=declaration.pk).first() if declaration.pk else None
    if before and before.name != declaration.name and before.is_encrypted:
        raise _wrong("/name", _("Switch encryption off first: its values are kept under this name."))
    declaration.save()
    return declaration


@transaction.atomic
def remove_declaration(declaration: TraitDeclaration) -> None:
    """Its values stay, undeclared. Raises InvalidTraits while some of them are encrypted."""
    if declaration.is_encrypted or SealedTrait.objects.filter(name=declaration.name).exists():
        raise _wrong("/is_encrypted", _("Switch encryption off first, and wait until its values are back."))
    declaration.delete()


def _wrong(pointer: str, text: str) -> InvalidTraits:
    return InvalidTraits(text, errors=[{"pointer": pointer, "detail": text}])


def move_values() -> int:
    """Puts values of encrypted traits under seal that were there before, and those of others out of it.

    In transactions of BATCH customers; may be repeated and run twice at once. Answers how many moved.
    """
    encrypted = list(TraitDeclaration.objects.filter(is_encrypted=True).values_list("name", flat=True))
    moved = sum(_repeat(_seal_batch, name) for name in encrypted)
    for name in encrypted:
        _blot_out(name)
    open_now = SealedTrait.objects.exclude(name__in=encrypted).values_list("name", flat=True).distinct()
    return moved + sum(_repeat(_unseal_batch, name) for name in list(open_now))


def _repeat(step: Callable[[str, int], list[int]], name: str) -> int:
    """By the ids of customers, so that each is looked at once."""
    moved, after = 0, 0
    while ids := step(name, after):
        moved, after = moved + len(ids), ids[-1]
    return moved


@transaction.atomic
def _seal_batch(name: str, after: int) -> list[int]:
    in_clear = Customer.objects.filter(pk__gt=after, traits__has_key=name)
    in_clear = in_clear.exclude(traits__contains={name: SEALED})
    rows = in_clear.select_for_update(of=("self",), no_key=True).order_by("pk")
    found = dict(rows.values_list("pk", "traits")[:BATCH])
    seal({(pk, name): traits[name] for pk, traits in found.items() if traits[name] is not None})
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE customers_customer SET traits = CASE WHEN traits -> %(name)s = 'null'"
            " THEN traits - %(name)s ELSE traits || jsonb_build_object(%(name)s::text, %(mark)s::text) END"
            " WHERE id = ANY(%(ids)s)",
            {"name": name, "mark": SEALED, "ids": list(found)},
        )
    return list(found)


@transaction.atomic
def _unseal_batch(name: str, after: int) -> list[int]:
    rows = SealedTrait.objects.filter(name=name, customer_id__gt=after).order_by("customer_id")[:BATCH]
    ids = [row.customer_id for row in rows]
    list(Customer.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk").values_list("pk"))
    values = {row.customer_id: json.loads(row.value) for row in rows}
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE customers_customer AS c SET traits = c.traits || jsonb_build_object(%s::text, v.value)"
            " FROM unnest(%s::bigint[], %s::jsonb[]) AS v(id, value)"
            " WHERE c.id = v.id AND c.traits ->> %s = %s",
            [name, ids, [json.dumps(values[pk]) for pk in ids], name, SEALED],
        )
    SealedTrait.objects.filter(name=name, customer_id__in=ids).delete()
    return ids


def _blot_out(name: str) -> None:
    """Older values in clear: in the history, and in the records of merges."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE customers_traitchange SET value = to_jsonb(%(mark)s::text)"
            " WHERE name = %(name)s AND value NOT IN ('null', to_jsonb(%(mark)s::text))",
            {"name": name, "mark": SEALED},
        )
        for path in (["source", "traits", name], ["changed", "traits", name]):
            cursor.execute(
                "UPDATE customers_merge SET record = jsonb_set(record, %(path)s, to_jsonb(%(mark)s::text))"
                " WHERE record #> %(path)s <> to_jsonb(%(mark)s::text)",
                {"path": path, "mark": SEALED},
            )
