"""The catalog of traits over HTTP, and declarations: new ones, changes, removal."""

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from personalization.access.json_fields import PlainValue
from personalization.access.known_fields import KnownFields
from personalization.access.models import Scope
from personalization.access.pagination import CursorPagination, answer_page
from personalization.access.services import actor_name, audit
from personalization.customers.declarations import TraitDeclaration
from personalization.privacy.told import told_count
from personalization.traits import declarations, tasks
from personalization.traits.catalog import read_catalog


class TraitSuggestionSerializer(serializers.Serializer):
    value_type = serializers.CharField()
    allowed = serializers.ListField(child=serializers.CharField())


class CatalogEntrySerializer(serializers.Serializer):
    name = serializers.CharField()
    origin = serializers.CharField(help_text="declared, discovered, computed or standard")
    value_type = serializers.CharField(help_text="Of a discovered trait as its values suggest; empty: mixed.")
    description = serializers.CharField()
    source = serializers.CharField(  # type: ignore[assignment]  # DRF's own attribute of this name
        help_text="Where values come from; of a computed trait its formula."
    )
    sensitivity = serializers.CharField()
    is_encrypted = serializers.BooleanField()
    customers = serializers.IntegerField(
        help_text="With a value, among the newest 3,000 profiles; in steps for staff without personal data."
    )
    misfits = serializers.IntegerField(help_text="Values of those that do not fit the type or rules.")
    examples = serializers.ListField(
        child=serializers.CharField(), help_text="Only values of as many customers as the floor of reports."
    )
    suggestion = TraitSuggestionSerializer(allow_null=True)


class TraitDeclarationSerializer(KnownFields, serializers.ModelSerializer):
    # Names with control characters answer 400 by the services' own check.
    name = serializers.CharField(max_length=200)
    allowed = serializers.ListField(child=PlainValue(), required=False)

    class Meta:
        model = TraitDeclaration
        fields = [
            "name", "value_type", "allowed", "minimum", "maximum", "on_bad_value", "description", "source",
            "sensitivity", "is_encrypted", "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = ["created_at", "updated_at"]

    def validate_name(self, value: str) -> str:
        own = isinstance(self.instance, TraitDeclaration) and self.instance.name == value
        if not own and TraitDeclaration.objects.filter(name=value).exists():
            raise serializers.ValidationError("This trait is declared already.")
        return value


class TraitCatalog(APIView):
    required_scope = Scope.CUSTOMERS_READ

    @extend_schema(responses=CatalogEntrySerializer(many=True))
    def get(self, request: Request) -> Response:
        """Every trait: declared, discovered with a suggested type, computed, standard."""
        entries = [
            asdict(entry)
            | {name: told_count(request, getattr(entry, name)) for name in ("customers", "misfits")}
            for entry in read_catalog()
        ]
        return Response(CatalogEntrySerializer(entries, many=True).data)


class DeclarationList(APIView):
    required_scope = {"GET": Scope.CUSTOMERS_READ, "POST": Scope.CUSTOMERS_WRITE}
    pagination_class = CursorPagination

    @extend_schema(responses=TraitDeclarationSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Every declared trait with its rules."""
        return answer_page(self, request, TraitDeclaration.objects.all(), TraitDeclarationSerializer)

    @extend_schema(request=TraitDeclarationSerializer, responses={201: TraitDeclarationSerializer})
    def post(self, request: Request) -> Response:
        """Declares a trait. Values that are there stay; from now on each is held against it."""
        return _save(request, None)


class DeclarationDetail(APIView):
    required_scope = {
        "GET": Scope.CUSTOMERS_READ, "PATCH": Scope.CUSTOMERS_WRITE, "DELETE": Scope.CUSTOMERS_WRITE,
    }  # fmt: skip

    @extend_schema(responses=TraitDeclarationSerializer)
    def get(self, request: Request, name: str) -> Response:
        return Response(TraitDeclarationSerializer(_find(name)).data)

    @extend_schema(request=TraitDeclarationSerializer, responses=TraitDeclarationSerializer)
    def patch(self, request: Request, name: str) -> Response:
        """Changes the declaration. When `is_encrypted` changes, values move within minutes."""
        return _save(request, _find(name))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, name: str) -> Response:
        """Removes the declaration; its values stay. Refused while they are encrypted."""
        declarations.remove_declaration(_find(name))
        audit(actor_name(request), "trait.undeclared", f"trait:{name}")
        return Response(status=204)


def _find(name: str) -> TraitDeclaration:
    if "\0" in name:
        name = ""
    return get_object_or_404(TraitDeclaration, name=name)


def _save(request: Request, declaration: TraitDeclaration | None) -> Response:
    serializer = TraitDeclarationSerializer(declaration, data=request.data, partial=declaration is not None)
    serializer.is_valid(raise_exception=True)
    changed = declaration or TraitDeclaration()
    for name, value in serializer.validated_data.items():
        setattr(changed, name, value)
    declarations.save_declaration(changed)
    tasks.move_soon()
    fields: list[Any] = sorted(serializer.validated_data)
    audit(actor_name(request), "trait.declared", f"trait:{changed.name}", fields=fields)
    return Response(TraitDeclarationSerializer(changed).data, status=200 if declaration else 201)
