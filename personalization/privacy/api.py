"""Privacy over HTTP: topics, double opt-in, the link to a customer's preferences."""

from django.db import transaction
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from personalization.access.models import Scope
from personalization.access.services import actor_name, audit
from personalization.customers import selectors
from personalization.customers.errors import UnknownCustomer
from personalization.customers.models import Customer
from personalization.customers.services import Proof
from personalization.privacy import links, opt_in, requests, tasks
from personalization.privacy.models import PrivacyRequest, Topic
from personalization.privacy.serializers import (
    LinkSerializer,
    OptInRequestSerializer,
    OptInSerializer,
    PrivacyRequestSerializer,
    TopicSerializer,
)


def find_customer(external_id: str) -> Customer:
    """Raises UnknownCustomer."""
    customer = selectors.find(external_id)
    if customer is None:
        raise UnknownCustomer
    return customer


class TopicList(ListAPIView):
    """What messages can be about, as customers see it in their preferences."""

    required_scope = Scope.CUSTOMERS_READ
    serializer_class = TopicSerializer

    def get_queryset(self) -> QuerySet[Topic]:
        return Topic.objects.all()


class CustomerOptIn(APIView):
    required_scope = Scope.CUSTOMERS_WRITE

    @extend_schema(request=OptInRequestSerializer, responses={202: OptInSerializer})
    def post(self, request: Request, external_id: str) -> Response:
        """Mails the customer a link; the consent counts once it is confirmed, within three days."""
        customer = find_customer(external_id)
        serializer = OptInRequestSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        asked = serializer.validated_data
        proof = Proof(wording=asked.get("wording", ""), origin_address=asked.get("origin_address", ""))
        found = opt_in.request_opt_in(customer.pk, topic=asked["topic"], source=asked["source"], proof=proof)
        audit(actor_name(request), "opt_in.requested", f"customer:{customer.pk}", topic=found.topic)
        return Response(OptInSerializer(found).data, status=202)


class PreferencesLink(APIView):
    required_scope = Scope.CUSTOMERS_READ

    @extend_schema(responses=LinkSerializer)
    def get(self, request: Request, external_id: str) -> Response:
        """Where this customer chooses topics and channels: show it on the account page of your shop."""
        return Response({"url": links.preferences_url(find_customer(external_id))})


class Erasure(APIView):
    required_scope = Scope.PRIVACY

    @extend_schema(request=None, responses={202: PrivacyRequestSerializer})
    def post(self, request: Request, external_id: str) -> Response:
        """Erases one person for ever. Ask the privacy request it answers for the certificate."""
        asked = requests.ask_erasure(find_customer(external_id).pk, actor=actor_name(request))
        transaction.on_commit(lambda: tasks.carry_out.delay(asked.pk))
        return Response(PrivacyRequestSerializer(asked).data, status=202)


class PrivacyRequestDetail(RetrieveAPIView):
    """What was asked, and once it is done the certificate with its hash."""

    required_scope = Scope.PRIVACY
    serializer_class = PrivacyRequestSerializer
    queryset = PrivacyRequest.objects.all()
