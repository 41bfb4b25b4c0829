"""`POST /api/v1/context`: what we make of a situation, as rules, templates and recommenders see it."""

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from personalization.access.known_fields import KnownFields
from personalization.access.models import Scope
from personalization.access.problems import ProblemError
from personalization.context import as_json
from personalization.context.reading import check_context
from personalization.customers import selectors
from personalization.customers.contexts import context_of
from personalization.customers.errors import UnknownCustomer
from personalization.customers.reading import show_profile


class InvalidContext(ProblemError):
    slug = "invalid-context"
    title = _("The context cannot be read")


class ContextSerializer(KnownFields, serializers.Serializer):
    context = serializers.DictField(  # type: ignore[assignment]  # DRF's own attribute of this name
        required=False,
        help_text="In the words of the Segment spec: location, timezone, userAgent, device, os, app, locale, "
        "page, referrer, campaign; and `cart` and `item`.",
    )
    customer = serializers.CharField(
        required=False, max_length=200, help_text="Your own id: the profile tells what the context does not."
    )
    ip = serializers.IPAddressField(
        required=False, help_text="Looked up in the GeoIP file, where one is set; never kept."
    )
    at = serializers.DateTimeField(required=False, help_text="Default: now.")


class ContextView(APIView):
    required_scope = Scope.CUSTOMERS_READ

    @extend_schema(request=ContextSerializer, responses={200: dict})
    def post(self, request: Request) -> Response:
        """Place, local time with daypart, weekday, season and holiday, device, client, origin and cart."""
        serializer = ContextSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        asked = serializer.validated_data
        raw = asked.get("context", {})
        if wrong := check_context(raw):
            raise InvalidContext(errors=[{"pointer": f"/context{p}", "detail": text} for p, text in wrong])
        profile = None
        if name := asked.get("customer"):
            customer = selectors.find(name)
            if customer is None:
                raise UnknownCustomer
            profile = selectors.profiles([customer.pk])[customer.pk]
            profile = show_profile(request, profile, page="API: context")
        found = context_of(profile, at=asked.get("at") or timezone.now(), raw=raw, ip=asked.get("ip", ""))
        return Response(as_json(found))
