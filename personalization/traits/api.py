"""Computed traits over HTTP: formulas and coverage, new ones, changes."""

from typing import Any

from django.db import transaction
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from personalization.access.jobs.work import hand_over
from personalization.access.json_fields import PlainValue
from personalization.access.known_fields import KnownFields
from personalization.access.models import Scope
from personalization.access.pagination import CursorPagination, answer_page
from personalization.access.services import actor_name, audit
from personalization.access.time_left import seconds_left
from personalization.privacy.told import told_count
from personalization.traits import services, tasks
from personalization.traits.models import TraitDefinition
from personalization.traits.registry import trait_kinds


class CheckedForecastSerializer(serializers.Serializer):
    customers = serializers.IntegerField()
    horizon_days = serializers.IntegerField(help_text="So many days were kept back.")
    brier = serializers.FloatField(help_text="Mean squared error of the chance of silence.")
    brier_base = serializers.FloatField(help_text="The same of giving everybody the same chance.")
    gap = serializers.FloatField(help_text="Between chance and share, over all groups.")
    expected = serializers.FloatField(help_text="Purchases that were forecast.")
    bought = serializers.FloatField(help_text="Purchases that happened.")
    groups = serializers.ListField(
        child=serializers.ListField(child=serializers.FloatField(), min_length=3, max_length=3),
        help_text="Ten groups: the mean chance of silence, the share that was silent, customers.",
    )


class TraitDefinitionSerializer(KnownFields, serializers.ModelSerializer):
    filter = serializers.DictField(
        child=PlainValue(), required=False, help_text="Only events with these values of their properties."
    )
    formula = serializers.SerializerMethodField(help_text="How a value comes about.")
    value_type = serializers.SerializerMethodField(help_text="number, text or time")
    covered = serializers.SerializerMethodField(
        help_text="Customers with a value; in steps for staff who work without personal data."
    )
    checked = serializers.SerializerMethodField(
        help_text="Of a forecast: how it held on data that was kept back; null when it cannot be told."
    )

    problem = serializers.CharField(source="told_problem", read_only=True, help_text="Why there is no value.")
    share_done = serializers.SerializerMethodField(
        help_text="0 to 1, of a computation under way; null without one."
    )
    seconds_left = serializers.SerializerMethodField(
        help_text="Of a computation under way; null while nothing is known, and without one."
    )

    class Meta:
        model = TraitDefinition
        fields = [
            "name", "kind", "event", "property", "filter", "window_days", "description", "is_active",
            "formula", "value_type", "covered", "problem", "checked", "refreshed_at",
            "share_done", "seconds_left",
        ]  # fmt: skip
        read_only_fields = ["refreshed_at"]

    def get_formula(self, definition: TraitDefinition) -> str:
        kind = trait_kinds().get(definition.kind)
        return kind.formula(definition) if kind else ""

    def get_value_type(self, definition: TraitDefinition) -> str:
        kind = trait_kinds().get(definition.kind)
        return kind.value_type if kind else ""

    def get_covered(self, definition: TraitDefinition) -> int:
        return told_count(self.context["request"], definition.covered)

    def get_share_done(self, definition: TraitDefinition) -> float | None:
        return definition.share_done if definition.started_at else None

    def get_seconds_left(self, definition: TraitDefinition) -> int | None:
        return seconds_left(definition.started_at, definition.share_done)

    @extend_schema_field(CheckedForecastSerializer(allow_null=True))
    def get_checked(self, definition: TraitDefinition) -> dict[str, Any] | None:
        return definition.state.get("checked")


class TraitList(APIView):
    required_scope = {"GET": Scope.CUSTOMERS_READ, "POST": Scope.CUSTOMERS_WRITE}
    pagination_class = CursorPagination

    @extend_schema(responses=TraitDefinitionSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Every computed trait with its formula and for how many customers it has a value."""
        return answer_page(self, request, TraitDefinition.objects.all(), TraitDefinitionSerializer)

    @extend_schema(request=TraitDefinitionSerializer, responses={201: TraitDefinitionSerializer})
    def post(self, request: Request) -> Response:
        """A new computed trait; values come within a minute or two."""
        return _save(request, None)


class TraitDetail(APIView):
    required_scope = {
        "GET": Scope.CUSTOMERS_READ, "PATCH": Scope.CUSTOMERS_WRITE, "DELETE": Scope.CUSTOMERS_WRITE,
    }  # fmt: skip

    @extend_schema(responses=TraitDefinitionSerializer)
    def get(self, request: Request, name: str) -> Response:
        return _answer(request, _find(name))

    @extend_schema(request=TraitDefinitionSerializer, responses=TraitDefinitionSerializer)
    def patch(self, request: Request, name: str) -> Response:
        """Changes the definition; everybody is computed anew."""
        return _save(request, _find(name))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, name: str) -> Response:
        """Removes the definition and its values."""
        services.remove_definition(_find(name))
        audit(actor_name(request), "trait.removed", f"trait:{name}")
        return Response(status=204)


class TraitComputing(APIView):
    required_scope = Scope.CUSTOMERS_WRITE

    @extend_schema(request=None, responses={202: TraitDefinitionSerializer})
    def post(self, request: Request, name: str) -> Response:
        """Computes the values of everybody anew; `share_done` tells how far it is. Switches the trait on."""
        definition = _find(name)
        with transaction.atomic():
            services.compute_anew(definition, actor=actor_name(request))
            hand_over(tasks.refresh_trait, definition.pk)
        return _answer(request, definition, status=202)


class TraitStopping(APIView):
    required_scope = Scope.CUSTOMERS_WRITE

    @extend_schema(request=None, responses=TraitDefinitionSerializer)
    def post(self, request: Request, name: str) -> Response:
        """Ends a computation under way and switches the trait off; values that are there stay."""
        definition = _find(name)
        services.stop_computing(definition, actor=actor_name(request))
        return _answer(request, definition)


def _find(name: str) -> TraitDefinition:
    return get_object_or_404(TraitDefinition, name=name)


def _save(request: Request, definition: TraitDefinition | None) -> Response:
    serializer = TraitDefinitionSerializer(definition, data=request.data, partial=definition is not None)
    serializer.is_valid(raise_exception=True)
    changed = definition or TraitDefinition()
    for name, value in serializer.validated_data.items():
        setattr(changed, name, value)
    services.save_definition(changed)
    fields = sorted(serializer.validated_data)
    audit(actor_name(request), "trait.saved", f"trait:{changed.name}", fields=fields)
    return _answer(request, changed, status=200 if definition else 201)


def _answer(request: Request, definition: TraitDefinition, *, status: int = 200) -> Response:
    data = TraitDefinitionSerializer(definition, context={"request": request}).data
    return Response(data, status=status)
