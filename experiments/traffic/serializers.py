"""Bodies of the API of layers, holdouts and client keys."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from experiments.models import ClientKey, Experiment, Holdout, Layer
from experiments.traffic.holdouts import MAX_SHARE
from experiments.traffic.layers import free_parts, taken_parts
from personalization.access.known_fields import KnownFields
from personalization.privacy.told import told_count


class PartSerializer(serializers.Serializer[Any]):
    start = serializers.CharField()
    end = serializers.CharField()


class TakenPartSerializer(PartSerializer):
    experiment = serializers.CharField()


class LayerSerializer(KnownFields, serializers.ModelSerializer[Layer]):
    """[start, end) parts in shares of the layer."""

    taken = serializers.SerializerMethodField()
    free = serializers.SerializerMethodField()

    class Meta:
        model = Layer
        fields = ["key", "name", "hash_version", "taken", "free", "created_at"]

    @extend_schema_field(TakenPartSerializer(many=True))
    def get_taken(self, layer: Layer) -> list[dict[str, str]]:
        rows = Experiment.objects.filter(layer=layer, ended_at=None, layer_start__isnull=False)
        return [
            {"experiment": one.key, "start": str(one.layer_start), "end": str(one.layer_end)}
            for one in rows.order_by("layer_start")
        ]

    @extend_schema_field(PartSerializer(many=True))
    def get_free(self, layer: Layer) -> list[dict[str, str]]:
        return [{"start": f"{low:.4f}", "end": f"{high:.4f}"} for low, high in free_parts(taken_parts(layer))]


class VersionSerializer(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    share = serializers.FloatField()
    started_at = serializers.DateTimeField()
    created_by = serializers.CharField()


class HoldoutSerializer(serializers.ModelSerializer[Holdout]):
    share = serializers.SerializerMethodField()
    members = serializers.SerializerMethodField(help_text="Who is kept out now.")
    versions = VersionSerializer(many=True, read_only=True)

    class Meta:
        model = Holdout
        fields = ["key", "name", "is_global", "share", "members", "versions", "created_at", "ended_at"]

    def get_share(self, holdout: Holdout) -> float:
        return holdout.versions.latest("number").share

    def get_members(self, holdout: Holdout) -> int:
        return told_count(self.context["request"], holdout.members.filter(left_at=None).count())


class NewHoldoutSerializer(KnownFields, serializers.Serializer[Any]):
    key = serializers.SlugField(max_length=100, help_text="Seeds the hash: never changed.")
    name = serializers.CharField(max_length=200)
    share = serializers.FloatField(min_value=0.0001, max_value=MAX_SHARE, help_text="Of all customers.")
    is_global = serializers.BooleanField(
        default=True, help_text="Kept out of every campaign and experiment; else of those that name it."
    )


class HoldoutChangeSerializer(KnownFields, serializers.Serializer[Any]):
    share = serializers.FloatField(min_value=0.0001, max_value=MAX_SHARE)


class ClientKeySerializer(KnownFields, serializers.ModelSerializer[ClientKey]):
    class Meta:
        model = ClientKey
        fields = ["id", "name", "key", "created_at", "revoked_at"]
        read_only_fields = ["key", "created_at", "revoked_at"]
