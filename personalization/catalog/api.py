"""The catalog over HTTP."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_serializer
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from personalization.access.known_fields import KnownFields
from personalization.access.models import Scope
from personalization.catalog.models import Item
from personalization.catalog.services import save_items

MOST_ITEMS = 1000


class ItemSerializer(serializers.ModelSerializer):
    class Meta:
        model = Item
        fields = [
            "id", "external_id", "name", "description", "categories", "brand", "price", "currency", "stock",
            "is_hidden", "url", "image_url", "translations", "attributes", "updated_at",
        ]  # fmt: skip
        read_only_fields = fields


@extend_schema_field({"type": ["number", "string", "null"]})
class Amount(serializers.Field):
    """As shops write it: 14.95, "14.95"."""


@extend_schema_serializer(component_name="Item")
class ItemWriteSerializer(KnownFields, serializers.Serializer[Any]):
    """One item, as the document tells it: `services.save_items` reads it, so that each stands for itself."""

    external_id = serializers.CharField(max_length=200, help_text="The shop's own id of the item.")
    name = serializers.CharField(required=False, allow_blank=True, max_length=300)
    description = serializers.CharField(required=False, allow_blank=True, max_length=100_000)
    categories = serializers.ListField(child=serializers.CharField(), required=False)
    brand = serializers.CharField(required=False, allow_blank=True, max_length=100)
    price = Amount(required=False)
    currency = serializers.CharField(required=False, allow_blank=True, max_length=3)
    stock = serializers.IntegerField(required=False, allow_null=True)
    is_hidden = serializers.BooleanField(required=False, allow_null=True)
    url = serializers.CharField(required=False, allow_blank=True, max_length=500)
    image_url = serializers.CharField(required=False, allow_blank=True, max_length=500)
    translations = serializers.DictField(required=False)
    attributes = serializers.DictField(required=False, help_text="Come to those that the item has.")


@extend_schema_field(ItemWriteSerializer(many=True))
class Records(serializers.ListField):
    child = serializers.DictField()


class ItemBatchSerializer(KnownFields, serializers.Serializer[Any]):
    items = Records(min_length=1, max_length=MOST_ITEMS, help_text=f"1 to {MOST_ITEMS}.")


class RejectedItemSerializer(serializers.Serializer[Any]):
    index = serializers.IntegerField(min_value=0)
    reason = serializers.CharField()


class SavedItemsSerializer(serializers.Serializer[Any]):
    new = serializers.IntegerField()
    changed = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    rejected = RejectedItemSerializer(many=True, help_text="All others are stored.")


class ItemList(ListAPIView):
    # Whoever asks for recommendations has to be able to show them.
    required_scope = {"GET": Scope.RECOMMENDATIONS, "POST": Scope.IMPORTS}
    serializer_class = ItemSerializer

    def get_queryset(self) -> QuerySet[Item]:
        return Item.objects.all()

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """All items of the catalog, in the order they were added."""
        return super().get(request, *args, **kwargs)

    @extend_schema(operation_id="items_save", request=ItemBatchSerializer, responses=SavedItemsSerializer)
    def post(self, request: Request) -> Response:
        """Adds items, and changes those whose `external_id` is known: what is left out or empty stays.

        Each stands for itself: one that cannot be read is told in the answer, and holds up no other.
        """
        body = ItemBatchSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        saved = save_items(body.validated_data["items"])
        rejected = [{"index": index, "reason": reason} for index, reason in saved.rejected]
        counts = {name: getattr(saved, name) for name in ("new", "changed", "unchanged")}
        return Response(SavedItemsSerializer({**counts, "rejected": rejected}).data)
