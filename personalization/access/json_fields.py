"""JSON in the bodies of calls of which the OpenAPI document can say the shape; the services check it."""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers


@extend_schema_field({"type": ["string", "number", "boolean"]})
class PlainValue(serializers.JSONField):
    """No null, and nothing with members or elements."""
