"""`{% trait_rows customer.traits as rows %}`: (name, value in words, formula), for a page of a lower room."""

from collections.abc import Mapping
from typing import Any

from django import template

from personalization.customers.trait_words import trait_words
from personalization.traits.models import TraitDefinition
from personalization.traits.registry import trait_kinds

register = template.Library()


@register.simple_tag
def trait_rows(traits: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """In order of the names; the formula is empty for a trait that was told to us."""
    formulas = {
        definition.name: trait_kinds()[definition.kind].formula(definition)
        for definition in TraitDefinition.objects.filter(name__in=list(traits), kind__in=trait_kinds())
    }
    return [(name, trait_words(value), formulas.get(name, "")) for name, value in sorted(traits.items())]
