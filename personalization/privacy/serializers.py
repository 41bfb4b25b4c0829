"""Privacy as the API shows and takes it."""

from rest_framework import serializers

from personalization.access.known_fields import KnownFields
from personalization.privacy.models import OptIn, PrivacyRequest, Topic


class TopicSerializer(serializers.ModelSerializer):
    class Meta:
        model = Topic
        fields = ["key", "name", "description", "translations", "is_public", "position"]


class OptInRequestSerializer(KnownFields, serializers.Serializer):
    topic = serializers.CharField(max_length=50)
    source = serializers.CharField(  # type: ignore[assignment]  # DRF's own attribute of this name
        max_length=80, help_text="Where the form stands."
    )
    wording = serializers.CharField(
        required=False, max_length=5000, help_text="The exact words the customer agreed to."
    )
    origin_address = serializers.IPAddressField(
        required=False, help_text="The customer's network address; kept as ORIGIN_POLICY says."
    )


class OptInSerializer(serializers.ModelSerializer):
    class Meta:
        model = OptIn
        fields = ["channel", "topic", "requested_at", "expires_at", "mailed_at", "confirmed_at"]


class PrivacyRequestSerializer(serializers.ModelSerializer):
    class Meta:
        model = PrivacyRequest
        fields = [
            "id", "kind", "status", "asked_at", "due_at", "done_at", "certificate", "certificate_sha256",
        ]  # fmt: skip


class LinkSerializer(serializers.Serializer):
    url = serializers.URLField()
