"""Customers over HTTP: read, change traits, record consent."""

from typing import Any

from django.db.models import Prefetch, QuerySet
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.generics import GenericAPIView, ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from personalization.access.known_fields import KnownFields
from personalization.access.models import Scope
from personalization.access.services import actor_name, audit
from personalization.customers import selectors, services
from personalization.customers.errors import InvalidTraits, UnknownCustomer
from personalization.customers.models import Consent, Customer
from personalization.customers.reading import may_see, show, show_one
from personalization.customers.search import matching
from personalization.customers.serializers import (
    ConsentRequest,
    ConsentSerializer,
    CustomerChangeSerializer,
    CustomerSerializer,
    IdentifierSerializer,
    SuppressionSerializer,
)
from personalization.customers.timeline import read_timeline
from personalization.customers.timeline_api import TimelineSerializer, timeline_json
from personalization.customers.traits import COLUMNS, check_column

PROFILE_ENTRIES = 20


class ProfileSerializer(CustomerSerializer):
    """As GET shows one customer."""

    identifiers = IdentifierSerializer(many=True, read_only=True)
    suppressions = SuppressionSerializer(
        many=True, read_only=True, help_text="Channels on which the present address is never written to."
    )
    timeline = TimelineSerializer(read_only=True)

    class Meta(CustomerSerializer.Meta):
        fields = [*CustomerSerializer.Meta.fields, "identifiers", "suppressions", "timeline"]
        read_only_fields = fields


def _with_consents() -> QuerySet[Customer]:
    current = Consent.objects.filter(is_current=True).select_related("wording").order_by("channel", "topic")
    return Customer.objects.prefetch_related(
        Prefetch("consents", queryset=current, to_attr="current_consents")
    )


def _find(external_id: str) -> Customer:
    customer = selectors.find_any(external_id)
    if customer is None:
        raise UnknownCustomer
    return customer


class CustomerQuery(KnownFields, serializers.Serializer[Any]):
    """Filters that go in a body: what they name may be a person. Each is answered from an index."""

    q = serializers.CharField(
        required=False, max_length=100, help_text="Beginnings of name, e-mail, phone or id, one or several."
    )
    email = serializers.CharField(required=False, max_length=254)
    phone = serializers.CharField(required=False, max_length=32, help_text="In E.164.")
    country = serializers.CharField(required=False, max_length=2)
    anonymous_id = serializers.CharField(required=False, max_length=200)
    traits = serializers.DictField(required=False, help_text='Traits with these values, {"plan": "gold"}.')

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if any("\0" in str(value) for value in attrs.values()):
            raise serializers.ValidationError(_("A NUL character is in no value."))
        return attrs


class CustomerListQuery(serializers.Serializer[Any]):
    """Filters that may stand in an address, and so in logs; an empty one is none."""

    country = serializers.CharField(required=False, allow_blank=True, max_length=2)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if personal := set(self.initial_data) & (set(CustomerQuery().fields) - set(self.fields)):
            told = _("Addresses are logged: post what names a person to /api/v1/customer-search.")
            raise serializers.ValidationError(dict.fromkeys(sorted(personal), told))
        return attrs


def _found(request: Request, filters: dict[str, Any]) -> QuerySet[Customer]:
    """All customers whom every filter fits, in the order they became known."""
    if filters and not may_see(request):
        # Who sees masks may not find out by asking what is behind them, nor how few there are of a kind.
        raise PermissionDenied
    rows = _with_consents().filter(merged_into=None)
    asked = dict(filters)
    if words := asked.pop("q", ""):
        rows = rows.filter(pk__in=matching(words).values("pk"))
    if email := asked.pop("email", ""):
        rows = rows.alias(address=Lower("email")).filter(address=email.lower())
    if anonymous_id := asked.pop("anonymous_id", ""):
        rows = rows.filter(identifiers__kind="anonymous_id", identifiers__value=anonymous_id)
    if traits := asked.pop("traits", None):
        rows = rows.filter(traits__contains=traits)
    return rows.filter(**asked)


class ShownCustomers(GenericAPIView):
    """Pages of customers as the caller may see them."""

    required_scope = Scope.CUSTOMERS_READ
    serializer_class = CustomerSerializer

    def paginate_queryset(self, queryset: Any) -> Any:
        found = super().paginate_queryset(queryset)
        return None if found is None else show(self.request, found, page="API: customers")


@extend_schema(parameters=[CustomerListQuery])
class CustomerList(ShownCustomers, ListAPIView):
    """All customers, or those of one country, in the order they became known."""

    def get_queryset(self) -> QuerySet[Customer]:
        query = CustomerListQuery(data=self.request.query_params)
        query.is_valid(raise_exception=True)
        return _found(self.request, {name: value for name, value in query.validated_data.items() if value})


class CustomerSearch(ShownCustomers):
    @extend_schema(request=CustomerQuery, responses=CustomerSerializer(many=True))
    def post(self, request: Request) -> Response:
        """Customers whom every filter fits, in the order they became known. Posted, because addresses are
        logged; for the next page post the same to `next`."""
        query = CustomerQuery(data=request.data)
        query.is_valid(raise_exception=True)
        page = self.paginate_queryset(_found(request, query.validated_data))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


class CustomerDetail(APIView):
    required_scope = {"GET": Scope.CUSTOMERS_READ, "PATCH": Scope.CUSTOMERS_WRITE}

    @extend_schema(responses=ProfileSerializer)
    def get(self, request: Request, external_id: str) -> Response:
        """One customer, by your own id or `#` and our number: profile, consent, identifiers, newest entries
        of the timeline."""
        customer = _find(external_id)
        shown = self._show(request, customer.pk)
        identifiers = customer.identifiers.order_by("pk") if may_see(request) else []
        shown.data["identifiers"] = IdentifierSerializer(identifiers, many=True).data
        shown.data["suppressions"] = SuppressionSerializer(
            selectors.suppressions_of(customer), many=True
        ).data
        shown.data["timeline"] = timeline_json(
            read_timeline(customer.pk, limit=PROFILE_ENTRIES), whole=may_see(request)
        )
        return shown

    @extend_schema(request=CustomerChangeSerializer, responses=CustomerSerializer)
    def patch(self, request: Request, external_id: str) -> Response:
        """Merges traits into the profile: what is not named stays as it is."""
        customer = _find(external_id)
        serializer = CustomerChangeSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        changes = dict(serializer.validated_data)
        traits = changes.pop("traits", {})
        errors = []
        for column, value in changes.items():
            try:
                check_column(column, value)
            except InvalidTraits as error:
                errors.append({"pointer": f"/{column}", "detail": str(error)})
        if errors:
            raise InvalidTraits(str(_("Nothing was changed.")), errors=errors)
        services.update_traits(customer.pk, {**traits, **changes})
        audit(
            actor_name(request), "customer.changed", f"customer:{customer.pk}",
            fields=sorted({*changes, *(["traits"] if traits else [])} & {*COLUMNS, "traits"}),
        )  # fmt: skip
        return self._show(request, customer.pk)

    def _show(self, request: Request, pk: int) -> Response:
        customer = show_one(request, _with_consents().get(pk=pk), page="API: customer")
        return Response(CustomerSerializer(customer).data)


class CustomerConsent(APIView):
    required_scope = Scope.CUSTOMERS_WRITE

    @extend_schema(request=ConsentRequest, responses=ConsentSerializer)
    def put(self, request: Request, external_id: str, channel: str, topic: str) -> Response:
        """Records a statement of the customer about one channel and topic; earlier ones stay as evidence."""
        customer = _find(external_id)
        serializer = ConsentRequest(data=request.data)
        serializer.is_valid(raise_exception=True)
        statement = dict(serializer.validated_data)
        proof = services.Proof(
            wording=statement.pop("wording", ""),
            origin_address=statement.pop("origin_address", ""),
            requested_at=statement.pop("requested_at", None),
        )
        consent = services.record_consent(customer.pk, channel=channel, topic=topic, proof=proof, **statement)
        audit(
            actor_name(request), "consent.recorded", f"customer:{customer.pk}",
            channel=channel, topic=topic, granted=consent.granted,
        )  # fmt: skip
        return Response(ConsentSerializer(consent).data)
