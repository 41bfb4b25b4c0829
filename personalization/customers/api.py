"""Customers over HTTP: read, change traits, record consent."""

from typing import Any

from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from personalization.access.models import Scope
from personalization.access.services import actor_name, audit
from personalization.customers import selectors, services
from personalization.customers.errors import InvalidTraits, UnknownCustomer
from personalization.customers.models import Consent, Customer
from personalization.customers.reading import show, show_one
from personalization.customers.serializers import (
    ConsentPutSerializer,
    ConsentSerializer,
    CustomerPatchSerializer,
    CustomerSerializer,
)
from personalization.customers.traits import COLUMNS, check_column


def _with_consents() -> QuerySet[Customer]:
    current = Consent.objects.filter(is_current=True).select_related("wording").order_by("channel", "topic")
    return Customer.objects.prefetch_related(
        Prefetch("consents", queryset=current, to_attr="current_consents")
    )


def _find(external_id: str) -> Customer:
    customer = selectors.find(external_id)
    if customer is None:
        raise UnknownCustomer
    return customer


class CustomerList(ListAPIView):
    """All customers, in the order they became known."""

    required_scope = Scope.CUSTOMERS_READ
    serializer_class = CustomerSerializer

    def get_queryset(self) -> QuerySet[Customer]:
        return _with_consents()

    def paginate_queryset(self, queryset: Any) -> Any:
        found = super().paginate_queryset(queryset)
        return None if found is None else show(self.request, found, page="API: customers")


class CustomerDetail(APIView):
    required_scope = {"GET": Scope.CUSTOMERS_READ, "PATCH": Scope.CUSTOMERS_WRITE}

    @extend_schema(responses=CustomerSerializer)
    def get(self, request: Request, external_id: str) -> Response:
        """One customer, by your own id."""
        return self._show(request, _find(external_id).pk)

    @extend_schema(request=CustomerPatchSerializer, responses=CustomerSerializer)
    def patch(self, request: Request, external_id: str) -> Response:
        """Merges traits into the profile: what is not named stays as it is."""
        customer = _find(external_id)
        serializer = CustomerPatchSerializer(data=request.data)
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

    @extend_schema(request=ConsentPutSerializer, responses=ConsentSerializer)
    def put(self, request: Request, external_id: str, channel: str, topic: str) -> Response:
        """Records a statement of the customer about one channel and topic; earlier ones stay as evidence."""
        customer = _find(external_id)
        serializer = ConsentPutSerializer(data=request.data)
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
