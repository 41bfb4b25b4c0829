"""Writes a trait of the customer."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.journeys.nodes._base import Field, Move, Node, Place, Stay, Traveler, Wrong
from personalization.customers.declared import check_traits
from personalization.customers.errors import InvalidTraits
from personalization.customers.services import write_traits
from personalization.customers.traits import column_of, split_traits


class TraitNode(Node):
    name = "trait"
    label = gettext_lazy("Update a trait")
    icon = "edit_attributes"
    fields = (
        Field("trait", gettext_lazy("Trait"), "text"),
        Field(
            "value", gettext_lazy("Value"), "text", is_needed=False,
            help=gettext_lazy("Empty takes the trait away."),
        ),
    )  # fmt: skip

    def check(self, params: Mapping[str, Any]) -> Iterator[Wrong]:
        trait = params.get("trait")
        if not isinstance(trait, str) or not 0 < len(trait) <= 200:
            yield "trait", _("Name the trait.")
            return
        if column_of(trait) in ("email", "phone"):
            yield "trait", _("A journey does not change addresses.")
        try:
            check_traits(split_traits({trait: params.get("value") or None}).others)
        except InvalidTraits as error:
            yield "value", str(error)

    def describe(self, params: Mapping[str, Any]) -> str:
        return f"{params.get('trait')} = {params.get('value')}"

    def decide(self, travelers: Sequence[Traveler], place: Place) -> dict[int, Move | Stay]:
        if place.is_test:
            return {one.id: Move("done", "test: not written") for one in travelers}
        value = place.params.get("value")
        change = split_traits({str(place.params["trait"]): None if value == "" else value})
        write_traits([(one.customer_id, change) for one in travelers])
        return {one.id: Move("done") for one in travelers}
