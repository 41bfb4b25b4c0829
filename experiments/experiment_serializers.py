"""Bodies of the API of experiments, checked for shape; what makes sense is for the services."""

import json
import re
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from experiments.exposures import count_exposed
from experiments.models import Experiment, Layer, Variant
from experiments.services import VariantSpec
from experiments.traffic.layers import LayerPart
from personalization.access.known_fields import KnownFields
from personalization.segments.models import Segment, SegmentVersion

MAX_ROWS = 1_000
MAX_VARIANTS = 20
MAX_VALUE = 10_000
OF_LAUNCHES = re.compile(r"campaign-\d+-run-\d+")


class VariantSerializer(KnownFields, serializers.ModelSerializer[Variant]):
    name = serializers.CharField(max_length=100, required=False, allow_blank=True, default="")
    weight = serializers.FloatField(min_value=0, help_text="Relative to the others; answered as a share.")
    value = serializers.JSONField(
        required=False, allow_null=True, default=None, help_text="What clients are given; null: the key."
    )
    forced_ids = serializers.ListField(
        child=serializers.CharField(max_length=200), max_length=50, required=False, default=list,
        help_text="Test accounts that always see this variant. Not counted; clients can read them.",
    )  # fmt: skip

    class Meta:
        model = Variant
        fields = ["key", "name", "weight", "is_control", "value", "forced_ids"]

    def validate_value(self, value: Any) -> Any:
        if len(json.dumps(value)) > MAX_VALUE:
            raise serializers.ValidationError(_("Give at most 10,000 characters."))
        return value


class LayerPartSerializer(KnownFields, serializers.Serializer[Any]):
    key = serializers.SlugRelatedField(queryset=Layer.objects.all(), slug_field="key")
    start = serializers.DecimalField(
        max_digits=5, decimal_places=4, min_value=Decimal(0), max_value=Decimal(1)
    )
    end = serializers.DecimalField(max_digits=5, decimal_places=4, min_value=Decimal(0), max_value=Decimal(1))


class NewExperimentSerializer(KnownFields, serializers.Serializer[Any]):
    key = serializers.SlugField(max_length=100, help_text="Seeds the hash: never changed.")
    name = serializers.CharField(max_length=200)
    variants: serializers.ListSerializer[Any] = serializers.ListSerializer(
        child=VariantSerializer(), min_length=1, max_length=MAX_VARIANTS
    )
    coverage = serializers.FloatField(min_value=0, max_value=1, default=1.0)
    hash_version = serializers.ChoiceField(
        choices=[1, 2], default=2, help_text="1 only for what was begun elsewhere; not served."
    )
    is_served = serializers.BooleanField(default=False, help_text="Clients with a client key may read it.")
    segment = serializers.PrimaryKeyRelatedField(
        queryset=Segment.objects.filter(archived_at=None), allow_null=True, default=None,
        help_text="Only its members take part, as it is defined now.",
    )  # fmt: skip
    layer = LayerPartSerializer(allow_null=True, default=None, help_text="[start, end) of a layer.")

    def validate_key(self, key: str) -> str:
        if OF_LAUNCHES.fullmatch(key):
            raise serializers.ValidationError(_("Keys of this form belong to campaigns."))
        return key

    def validate_segment(self, segment: Segment | None) -> SegmentVersion | None:
        try:
            return segment.current if segment else None
        except SegmentVersion.DoesNotExist:
            raise serializers.ValidationError(_("The segment has no definition yet.")) from None

    def arguments(self) -> dict[str, Any]:
        """Keyword arguments of `services.create_experiment`."""
        data = dict(self.validated_data)
        layer, version, variants = data.pop("layer"), data.pop("segment"), data.pop("variants")
        return {
            **data,
            "variants": [VariantSpec(**{**one, "name": one["name"] or one["key"]}) for one in variants],
            "segment_version": version,
            "layer_part": layer and LayerPart(layer["key"], layer["start"], layer["end"]),
        }


class ExperimentSerializer(serializers.ModelSerializer[Experiment]):
    variants = VariantSerializer(many=True)
    segment = serializers.IntegerField(source="segment_version.segment_id", allow_null=True, default=None)
    layer = serializers.SerializerMethodField()
    shipped = serializers.CharField(source="shipped.key", allow_null=True, default=None)

    class Meta:
        model = Experiment
        fields = [
            "key", "name", "origin", "allocation", "variants", "coverage",
            "hash_version", "is_served", "segment", "layer",
            "shipped", "shipped_share", "created_at", "started_at", "ended_at",
        ]  # fmt: skip

    def get_layer(self, experiment: Experiment) -> dict[str, str] | None:
        if experiment.layer is None:
            return None
        return {
            "key": experiment.layer.key,
            "start": str(experiment.layer_start),
            "end": str(experiment.layer_end),
        }


class ExperimentDetailSerializer(ExperimentSerializer):
    """With what clients reported."""

    exposures = serializers.SerializerMethodField()

    class Meta(ExperimentSerializer.Meta):
        fields = [*ExperimentSerializer.Meta.fields, "exposures"]

    def get_exposures(self, experiment: Experiment) -> dict[str, Any]:
        by_variant, contradicted = count_exposed(experiment)
        return {"variants": by_variant, "contradicted": contradicted}


class ExperimentChangeSerializer(KnownFields, serializers.Serializer[Any]):
    coverage = serializers.FloatField(required=False, min_value=0, max_value=1)
    is_served = serializers.BooleanField(required=False)


class ExperimentStartSerializer(KnownFields, serializers.Serializer[Any]):
    at = serializers.DateTimeField(
        required=False, allow_null=True, default=None, help_text="Empty: now. A past moment for an import."
    )


class ExperimentEndSerializer(ExperimentStartSerializer):
    ship = serializers.CharField(required=False, allow_blank=True, default="", help_text="A variant's key.")
    share = serializers.FloatField(
        required=False, default=1.0, min_value=0, max_value=1, help_text="Of everybody, for `ship`."
    )


class ImportRowSerializer(KnownFields, serializers.Serializer[Any]):
    customer = serializers.CharField(max_length=200, help_text="Customer id of your own shop.")
    variant = serializers.CharField(
        required=False, allow_null=True, default=None, help_text="Empty: by the experiment's own hash."
    )
    propensity = serializers.FloatField(
        required=False, allow_null=True, default=None, max_value=1,
        help_text="The chance with which it was drawn, above 0. Empty: as the weights say.",
    )  # fmt: skip
    assigned_at = serializers.DateTimeField(required=False, allow_null=True, default=None)

    def validate_propensity(self, value: float | None) -> float | None:
        if value is not None and not value > 0:
            raise serializers.ValidationError(_("What happened had a chance above 0."))
        return value


class AssignmentsSerializer(KnownFields, serializers.Serializer[Any]):
    assignments: serializers.ListSerializer[Any] = serializers.ListSerializer(
        child=ImportRowSerializer(), min_length=1, max_length=MAX_ROWS
    )


class ImportedSerializer(serializers.Serializer[Any]):
    created = serializers.IntegerField()
    unchanged = serializers.IntegerField()
