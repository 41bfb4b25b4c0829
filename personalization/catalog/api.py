"""The catalog over HTTP."""

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.generics import ListAPIView

from personalization.access.models import Scope
from personalization.catalog.models import Item


class ItemSerializer(serializers.ModelSerializer):
    class Meta:
        model = Item
        fields = [
            "id", "external_id", "name", "description", "categories", "brand", "price", "currency", "stock",
            "is_hidden", "url", "image_url", "translations", "attributes", "updated_at",
        ]  # fmt: skip
        read_only_fields = fields


class ItemList(ListAPIView):
    """All items of the catalog, in the order they were added."""

    # Whoever asks for recommendations has to be able to show them.
    required_scope = Scope.RECOMMENDATIONS
    serializer_class = ItemSerializer

    def get_queryset(self) -> QuerySet[Item]:
        return Item.objects.all()
