"""Blocks over the API: read, write a new version, put out of use."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from personalization.access.known_fields import KnownFields
from personalization.access.models import Scope
from personalization.access.pagination import ByName, NewestFirst, answer_page
from personalization.access.services import actor_name
from personalization.content.models import BlockVersion, ContentBlock
from personalization.content.selectors import blocks
from personalization.content.services import archive_block, save_block


class BlockSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=50)
    description = serializers.CharField()
    version = serializers.IntegerField(source="number")
    texts = serializers.DictField(child=serializers.CharField(), help_text="By language; “” is for the rest.")
    changed_at = serializers.DateTimeField()


class NewVersionSerializer(KnownFields, serializers.Serializer[Any]):
    texts = serializers.DictField(
        child=serializers.CharField(allow_blank=True, trim_whitespace=False),
        help_text="By language; “” is for everybody without one of these.",
    )
    description = serializers.CharField(required=False, allow_blank=True, max_length=200)
    note = serializers.CharField(required=False, allow_blank=True, max_length=200, default="")


class BlockVersionSerializer(serializers.ModelSerializer[BlockVersion]):
    class Meta:
        model = BlockVersion
        fields = ["number", "texts", "note", "created_by", "created_at"]


class BlockListView(APIView):
    required_scope = Scope.CAMPAIGNS_READ
    pagination_class = ByName

    @extend_schema(responses=BlockSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Blocks in use, by name."""
        return answer_page(self, request, blocks(), BlockSerializer)


class BlockView(APIView):
    staff_permission = {"PUT": "content.change_contentblock", "DELETE": "content.delete_contentblock"}
    required_scope = {
        "GET": Scope.CAMPAIGNS_READ, "PUT": Scope.CAMPAIGNS_WRITE, "DELETE": Scope.CAMPAIGNS_WRITE,
    }  # fmt: skip

    @extend_schema(responses=BlockSerializer)
    def get(self, request: Request, name: str) -> Response:
        """A block as messages launched now would have it."""
        return Response(BlockSerializer(get_object_or_404(blocks(), name=name)).data)

    @extend_schema(operation_id="blocks_put", request=NewVersionSerializer, responses=BlockSerializer)
    def put(self, request: Request, name: str) -> Response:
        """Makes a new version; the same texts again make none. Launched messages keep theirs."""
        body = NewVersionSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        save_block(name, **body.validated_data, actor=actor_name(request))
        return Response(BlockSerializer(blocks().get(name=name)).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, name: str) -> Response:
        """Puts it out of use; its versions are kept."""
        archive_block(get_object_or_404(ContentBlock, name=name), actor=actor_name(request))
        return Response(status=204)


class BlockVersionsView(APIView):
    required_scope = Scope.CAMPAIGNS_READ
    pagination_class = NewestFirst

    @extend_schema(responses=BlockVersionSerializer(many=True))
    def get(self, request: Request, name: str) -> Response:
        """Every version of a block, newest first."""
        block = get_object_or_404(ContentBlock, name=name)
        return answer_page(self, request, block.versions.all(), BlockVersionSerializer)
