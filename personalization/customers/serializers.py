"""Customers and their consent as the API shows and takes them."""

from rest_framework import serializers

from personalization.access.known_fields import KnownFields
from personalization.customers.models import Consent, Customer, Identifier, Suppression
from personalization.customers.traits import COLUMNS


class ConsentSerializer(serializers.ModelSerializer):
    wording = serializers.CharField(source="wording.text", default=None, read_only=True, allow_null=True)

    class Meta:
        model = Consent
        fields = [
            "channel", "topic", "granted", "source", "recorded_at", "wording", "origin", "requested_at",
        ]  # fmt: skip


class IdentifierSerializer(serializers.ModelSerializer):
    is_shared = serializers.SerializerMethodField(
        help_text="Several customers used it: it joins nobody any more."
    )

    class Meta:
        model = Identifier
        fields = ["kind", "value", "created_at", "is_shared"]

    def get_is_shared(self, identifier: Identifier) -> bool:
        return identifier.shared_at is not None


class CustomerSerializer(serializers.ModelSerializer):
    consents = ConsentSerializer(many=True, source="current_consents", read_only=True)

    class Meta:
        model = Customer
        fields = ["id", "external_id", *COLUMNS, "traits", "consents", "created_at", "updated_at"]
        read_only_fields = fields


class SuppressionSerializer(serializers.ModelSerializer):
    class Meta:
        model = Suppression
        fields = ["channel", "reason", "created_at"]


class CustomerChangeSerializer(KnownFields, serializers.Serializer):
    """All fields are optional. An empty text or null clears a field; null inside `traits` removes a trait."""

    email = serializers.CharField(required=False, allow_blank=True, allow_null=True, max_length=254)
    phone = serializers.CharField(required=False, allow_blank=True, allow_null=True, max_length=32)
    first_name = serializers.CharField(required=False, allow_blank=True, allow_null=True, max_length=100)
    last_name = serializers.CharField(required=False, allow_blank=True, allow_null=True, max_length=100)
    language = serializers.CharField(required=False, allow_blank=True, allow_null=True, max_length=16)
    country = serializers.CharField(required=False, allow_blank=True, allow_null=True, max_length=2)
    city = serializers.CharField(required=False, allow_blank=True, allow_null=True, max_length=100)
    time_zone = serializers.CharField(required=False, allow_blank=True, allow_null=True, max_length=64)
    traits = serializers.DictField(child=serializers.JSONField(allow_null=True), required=False)


class ConsentRequest(KnownFields, serializers.Serializer):
    granted = serializers.BooleanField()
    source = serializers.CharField(  # type: ignore[assignment]  # DRF's own attribute of this name
        max_length=100, help_text="Where it was given: form, import, call."
    )
    at = serializers.DateTimeField(required=False, help_text="When it was given; default: now.")
    wording = serializers.CharField(
        required=False, max_length=5000, help_text="The exact words the customer agreed to."
    )
    origin_address = serializers.IPAddressField(
        required=False, help_text="The customer's network address; kept as ORIGIN_POLICY says."
    )
    requested_at = serializers.DateTimeField(
        required=False, help_text="For your own double opt-in: when the form was sent."
    )
