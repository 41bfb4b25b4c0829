"""The API of layers, holdouts and client keys: list, create, end or revoke. Nothing is deleted."""

from typing import Any

from django.db import transaction
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from experiments.models import ClientKey, Holdout, Layer
from experiments.traffic import client_keys, holdouts
from experiments.traffic.serializers import (
    ClientKeySerializer,
    HoldoutChangeSerializer,
    HoldoutSerializer,
    LayerSerializer,
    NewHoldoutSerializer,
)
from personalization.access.models import Scope, User
from personalization.access.pagination import CursorPagination, answer_page
from personalization.access.services import actor_name, audit

READ_WRITE = {"GET": Scope.CAMPAIGNS_READ, "POST": Scope.CAMPAIGNS_WRITE, "PATCH": Scope.CAMPAIGNS_WRITE}


class LayersView(APIView):
    staff_permission = "experiments.add_layer"
    required_scope = READ_WRITE
    pagination_class = CursorPagination

    @extend_schema(responses=LayerSerializer(many=True))
    def get(self, request: Request) -> Response:
        """All layers with the parts that are taken and free."""
        return answer_page(self, request, Layer.objects.order_by("pk"), LayerSerializer)

    @extend_schema(request=LayerSerializer, responses={201: LayerSerializer})
    def post(self, request: Request) -> Response:
        """Makes a layer. Experiments take their part when they are made; the end of one frees it."""
        body = LayerSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        with transaction.atomic():
            layer = body.save()
            audit(actor_name(request), "layer.created", f"layer:{layer.key}")
        return Response(LayerSerializer(layer).data, status=status.HTTP_201_CREATED)


class LayerView(APIView):
    required_scope = Scope.CAMPAIGNS_READ

    @extend_schema(responses=LayerSerializer)
    def get(self, request: Request, key: str) -> Response:
        """One layer with the parts that are taken and free."""
        return Response(LayerSerializer(get_object_or_404(Layer, key=key)).data)


def _holdout(request: Request, holdout: Holdout) -> dict[str, Any]:
    return dict(HoldoutSerializer(holdout, context={"request": request}).data)


class HoldoutsView(APIView):
    staff_permission = "experiments.add_holdout"
    required_scope = READ_WRITE
    pagination_class = CursorPagination

    @extend_schema(responses=HoldoutSerializer(many=True))
    def get(self, request: Request) -> Response:
        """All holdouts, ended ones too, oldest first."""
        found = Holdout.objects.prefetch_related("versions").order_by("pk")
        return answer_page(self, request, found, HoldoutSerializer)

    @extend_schema(request=NewHoldoutSerializer, responses={201: HoldoutSerializer})
    def post(self, request: Request) -> Response:
        """Draws the members among all present customers; new ones are drawn as they come."""
        body = NewHoldoutSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        made = holdouts.create_holdout(**body.validated_data, at=timezone.now(), actor=actor_name(request))
        return Response(_holdout(request, made), status=status.HTTP_201_CREATED)


class HoldoutView(APIView):
    staff_permission = "experiments.change_holdout"
    required_scope = READ_WRITE

    @extend_schema(responses=HoldoutSerializer)
    def get(self, request: Request, key: str) -> Response:
        """One holdout, and how its members were drawn."""
        return Response(_holdout(request, get_object_or_404(Holdout, key=key)))

    @extend_schema(request=HoldoutChangeSerializer, responses=HoldoutSerializer)
    def patch(self, request: Request, key: str) -> Response:
        """A larger share takes more in and lets nobody go; a smaller one lets some go."""
        body = HoldoutChangeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        holdout = get_object_or_404(Holdout, key=key)
        share = body.validated_data["share"]
        holdouts.change_share(holdout, share=share, at=timezone.now(), actor=actor_name(request))
        return Response(_holdout(request, holdout))


class RedrawView(APIView):
    staff_permission = "experiments.change_holdout"
    required_scope = Scope.CAMPAIGNS_WRITE

    @extend_schema(request=None, responses=HoldoutSerializer)
    def post(self, request: Request, key: str) -> Response:
        """Draws anew from everybody: nobody should go without messages for ever."""
        holdout = get_object_or_404(Holdout, key=key)
        holdouts.redraw(holdout, at=timezone.now(), actor=actor_name(request))
        return Response(_holdout(request, holdout))


class EndHoldoutView(APIView):
    staff_permission = "experiments.change_holdout"
    required_scope = Scope.CAMPAIGNS_WRITE

    @extend_schema(request=None, responses=HoldoutSerializer)
    def post(self, request: Request, key: str) -> Response:
        """Lets everybody go, for good; who was in when stays on record. Ending twice changes nothing."""
        holdout = get_object_or_404(Holdout, key=key)
        holdouts.end_holdout(holdout, at=timezone.now(), actor=actor_name(request))
        return Response(_holdout(request, holdout))


class ClientKeysView(APIView):
    staff_permission = "experiments.add_clientkey"
    required_scope = READ_WRITE
    pagination_class = CursorPagination

    @extend_schema(responses=ClientKeySerializer(many=True))
    def get(self, request: Request) -> Response:
        """All client keys. They are no secret: every visitor of a website can see its own."""
        return answer_page(self, request, ClientKey.objects.order_by("pk"), ClientKeySerializer)

    @extend_schema(request=ClientKeySerializer, responses={201: ClientKeySerializer})
    def post(self, request: Request) -> Response:
        """Makes a key with which an app or a website reads served experiments, and nothing else."""
        body = ClientKeySerializer(data=request.data)
        body.is_valid(raise_exception=True)
        user = request.user if isinstance(request.user, User) else None
        made = client_keys.create_client_key(
            name=body.validated_data["name"], created_by=user, actor=actor_name(request)
        )
        return Response(ClientKeySerializer(made).data, status=status.HTTP_201_CREATED)


class RevokeClientKeyView(APIView):
    staff_permission = "experiments.change_clientkey"
    required_scope = Scope.CAMPAIGNS_WRITE

    @extend_schema(request=None, responses=ClientKeySerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Clients that use it load nothing new from now on. Revoking twice changes nothing."""
        key = get_object_or_404(ClientKey, pk=pk)
        client_keys.revoke_client_key(key, actor=actor_name(request))
        key.refresh_from_db()
        return Response(ClientKeySerializer(key).data)
