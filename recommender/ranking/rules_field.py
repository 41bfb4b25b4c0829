"""Rules in the body of an API call, with their place in the OpenAPI document."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from personalization.access.known_fields import KnownFields
from recommender.ranking.references import read_rules, write_rules
from recommender.ranking.rules import ALLOW, EXCLUDE, MAX_ENTRIES, ONLY, Rules, RulesError


def _texts(help_text: str) -> serializers.ListField:
    return serializers.ListField(
        child=serializers.CharField(), max_length=MAX_ENTRIES, required=False, help_text=help_text
    )


class RulesSerializer(KnownFields, serializers.Serializer[Any]):
    """Hidden items and items out of stock never come; these rules come on top. What is missing is no rule."""

    bought = serializers.ChoiceField(
        choices=[EXCLUDE, ONLY, ALLOW], default=EXCLUDE,
        help_text="What the customer bought already: left out, nothing else, or no matter.",
    )  # fmt: skip
    categories = _texts("Only items of one of these categories, of any level.")
    not_categories = _texts("No item of these categories, of any level.")
    brands = _texts("Only items of one of these brands.")
    price_min = serializers.DecimalField(
        14, 2, min_value=0, required=False, allow_null=True,
        help_text="Included. An item without a price fits no price rule.",
    )  # fmt: skip
    price_max = serializers.DecimalField(
        14, 2, min_value=0, required=False, allow_null=True, help_text="Included."
    )
    max_per_category = serializers.IntegerField(
        min_value=1, required=False, allow_null=True,
        help_text="Counted by the narrowest category of an item.",
    )  # fmt: skip
    pinned = _texts("Ids of items that come first, as far as the other rules let them.")
    not_items = _texts("Ids of items that never come.")
    diversity = serializers.FloatField(
        min_value=0, max_value=1, required=False, allow_null=True,
        help_text="Greater than 0. 1 is the best match first, less is more variety: 0.7 is a good start, and "
        "below 0.6 the items fit much less.",
    )  # fmt: skip


@extend_schema_field(RulesSerializer)
class RulesField(serializers.Field[Rules, Any, Any, Any]):
    """Rules with items by the shop's own ids. Rules that need a campaign are refused."""

    refused = frozenset({"not_in_last_messages"})

    def to_internal_value(self, data: Any) -> Rules:
        there = self.refused & data.keys() if isinstance(data, dict) else set()
        errors = dict.fromkeys(there, _("Only a campaign can say this: it knows the messages sent before."))
        if there:
            data = {name: value for name, value in data.items() if name not in there}
        try:
            rules = read_rules(data)
        except RulesError as error:
            # Pointers into the rules become keys, which the problem's own pointer ends with.
            errors |= {
                one["pointer"].removeprefix("/") or "non_field_errors": one["detail"] for one in error.errors
            }
        if errors:
            raise serializers.ValidationError(errors)
        return rules

    def to_representation(self, value: Rules) -> dict[str, Any]:
        return write_rules(value)
