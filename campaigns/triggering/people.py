"""Customers that a caller names by the shop's own ids, each with variables; bad ones are told all at once."""

from collections.abc import Mapping, Sequence
from typing import Any

from rest_framework import serializers

from personalization.access.known_fields import KnownFields
from personalization.customers import selectors as customers

MAX_PEOPLE = 500


class PersonSerializer(KnownFields, serializers.Serializer[Any]):
    customer = serializers.CharField(max_length=200, help_text="The shop's own id of the customer.")
    variables = serializers.DictField(
        required=False, default=dict, help_text="What templates see as `trigger`."
    )


class PeopleSerializer(KnownFields, serializers.Serializer[Any]):
    idempotency_key = serializers.CharField(
        max_length=100, help_text="The same key does the same thing only once."
    )
    recipients = serializers.ListField(child=PersonSerializer(), min_length=1, max_length=MAX_PEOPLE)
    variables = serializers.DictField(required=False, default=dict, help_text="For everybody.")

    def validate_recipients(self, people: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if len({one["customer"] for one in people}) < len(people):
            raise serializers.ValidationError("A customer stands here twice.")
        return people


def known_people(
    people: Sequence[Mapping[str, Any]], *, shared: Mapping[str, Any]
) -> list[tuple[int, dict[str, Any]]]:
    """Raises ValidationError that names everybody who is not known; then nothing was done."""
    found = customers.customer_ids(one["customer"] for one in people)
    unknown = [one["customer"] for one in people if one["customer"] not in found]
    if unknown:
        raise serializers.ValidationError({"recipients": [f"Nobody is known as {name}." for name in unknown]})
    named: dict[int, dict[str, Any]] = {}
    for one in people:
        if found[one["customer"]] in named:
            raise serializers.ValidationError({"recipients": [f"{one['customer']} is another one merged."]})
        named[found[one["customer"]]] = {**shared, **one["variables"]}
    return list(named.items())
