"""Coupon pools over the API: make one, fill it, see what is left."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns.coupons import services
from campaigns.coupons.selectors import pools
from campaigns.models import CouponPool
from personalization.access.known_fields import KnownFields
from personalization.access.models import Scope
from personalization.access.pagination import ByName, answer_page
from personalization.access.services import actor_name


class PoolSerializer(serializers.ModelSerializer[CouponPool]):
    left = serializers.IntegerField(help_text="Codes nobody has got yet.")
    taken = serializers.IntegerField()

    class Meta:
        model = CouponPool
        fields = ["name", "description", "low_at", "left", "taken", "created_at"]


class PoolFieldsSerializer(KnownFields, serializers.Serializer[Any]):
    description = serializers.CharField(required=False, allow_blank=True, max_length=200, default="")
    low_at = serializers.IntegerField(required=False, min_value=0, max_value=10**9, default=100)


class CouponCodesSerializer(KnownFields, serializers.Serializer[Any]):
    codes = serializers.ListField(
        child=serializers.CharField(max_length=200), max_length=services.MAX_CODES, allow_empty=False
    )


class AddedCodesSerializer(serializers.Serializer[Any]):
    added = serializers.IntegerField()
    known = serializers.IntegerField(help_text="In the pool already, or twice in the list.")


class PoolListView(APIView):
    required_scope = Scope.CAMPAIGNS_READ
    pagination_class = ByName

    @extend_schema(responses=PoolSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Pools in use, by name."""
        return answer_page(self, request, pools(), PoolSerializer)


class PoolView(APIView):
    staff_permission = {"PUT": "campaigns.change_couponpool", "DELETE": "campaigns.delete_couponpool"}
    required_scope = {
        "GET": Scope.CAMPAIGNS_READ, "PUT": Scope.CAMPAIGNS_WRITE, "DELETE": Scope.CAMPAIGNS_WRITE,
    }  # fmt: skip

    @extend_schema(responses=PoolSerializer)
    def get(self, request: Request, name: str) -> Response:
        """One pool, with how many codes are left."""
        return Response(PoolSerializer(get_object_or_404(pools(), name=name)).data)

    @extend_schema(operation_id="coupon_pools_put", request=PoolFieldsSerializer, responses=PoolSerializer)
    def put(self, request: Request, name: str) -> Response:
        """Makes a pool, or changes its description and when it warns."""
        body = PoolFieldsSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        services.save_pool(name, **body.validated_data, actor=actor_name(request))
        return Response(PoolSerializer(pools().get(name=name)).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, name: str) -> Response:
        """No message gets codes of it any more; taken codes stay on record."""
        services.archive_pool(get_object_or_404(CouponPool, name=name), actor=actor_name(request))
        return Response(status=204)


class PoolCodesView(APIView):
    staff_permission = "campaigns.change_couponpool"
    required_scope = Scope.CAMPAIGNS_WRITE

    @extend_schema(
        operation_id="coupon_pools_add", request=CouponCodesSerializer, responses=AddedCodesSerializer
    )
    def post(self, request: Request, name: str) -> Response:
        """Adds codes. Sending the same ones again adds nothing, so a call may be repeated."""
        body = CouponCodesSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        pool = get_object_or_404(CouponPool, name=name, archived_at=None)
        added, known = services.add_codes(pool, body.validated_data["codes"], actor=actor_name(request))
        return Response({"added": added, "known": known})
