"""The API of webhooks. The secret is answered when it is made, and never again."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns.models import Telling, TellingStatus, WebhookEndpoint
from campaigns.transport.http import in_words
from campaigns.webhooks import selectors, services
from personalization.access.known_fields import KnownFields
from personalization.access.models import Scope, User
from personalization.access.pagination import CursorPagination, NewestFirst, answer_page
from personalization.access.services import actor_name
from personalization.customers.reading import MASK, may_see, note_read

SCOPES = {
    "GET": Scope.SENDERS_READ, "POST": Scope.SENDERS_WRITE, "PUT": Scope.SENDERS_WRITE,
    "DELETE": Scope.SENDERS_WRITE,
}  # fmt: skip


class WebhookSerializer(KnownFields, serializers.ModelSerializer[WebhookEndpoint]):
    problem = serializers.SerializerMethodField(help_text="Why it was switched off; empty: it was not.")

    class Meta:
        model = WebhookEndpoint
        fields = ["id", "name", "url", "events", "is_active", "problem", "created_at"]

    def get_problem(self, row: WebhookEndpoint) -> str:
        return in_words(row.problem)


class NewWebhookSerializer(WebhookSerializer):
    class Meta(WebhookSerializer.Meta):
        fields = [*WebhookSerializer.Meta.fields, "secret"]
        read_only_fields = ["secret"]


class TellingSerializer(serializers.ModelSerializer[Telling]):
    customer = serializers.CharField(source="customer.external_id", allow_null=True, default=None)
    detail = serializers.SerializerMethodField(help_text="What the receiver said, or why nothing came.")
    next_attempt_at = serializers.DateTimeField(
        read_only=True,
        allow_null=True,
        help_text="Null when it was sent or has failed for good, and while the webhook is switched off.",
    )

    class Meta:
        model = Telling
        fields = [
            "id", "event", "customer", "status", "attempts", "next_attempt_at", "detail", "created_at",
            "told_at",
        ]  # fmt: skip

    def get_detail(self, row: Telling) -> str:
        return in_words(row.detail)


class SendAgainSerializer(KnownFields, serializers.Serializer[Any]):
    call = serializers.IntegerField(
        required=False, allow_null=True, default=None, help_text="Empty: all failed."
    )


class SentAgainSerializer(serializers.Serializer[Any]):
    calls = serializers.IntegerField(help_text="How many are sent again.")


class WebhooksView(APIView):
    staff_permission = "campaigns.add_webhookendpoint"
    required_scope = SCOPES
    pagination_class = CursorPagination

    @extend_schema(operation_id="webhooks_list", responses=WebhookSerializer(many=True))
    def get(self, request: Request) -> Response:
        """All webhooks."""
        return answer_page(self, request, WebhookEndpoint.objects.order_by("pk"), WebhookSerializer)

    @extend_schema(
        operation_id="webhooks_create", request=WebhookSerializer, responses={201: NewWebhookSerializer}
    )
    def post(self, request: Request) -> Response:
        """A new webhook, with its secret."""
        return Response(NewWebhookSerializer(_save(None, request)).data, status=status.HTTP_201_CREATED)


class WebhookView(APIView):
    staff_permission = {
        "PUT": "campaigns.change_webhookendpoint",
        "PATCH": "campaigns.change_webhookendpoint",
        "DELETE": "campaigns.delete_webhookendpoint",
    }
    required_scope = SCOPES

    @extend_schema(operation_id="webhooks_get", responses=WebhookSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """One webhook."""
        return Response(WebhookSerializer(get_object_or_404(WebhookEndpoint, pk=pk)).data)

    @extend_schema(operation_id="webhooks_replace", request=WebhookSerializer, responses=WebhookSerializer)
    def put(self, request: Request, pk: int) -> Response:
        """Changes a webhook; active again, it goes on where it stopped."""
        return Response(WebhookSerializer(_save(get_object_or_404(WebhookEndpoint, pk=pk), request)).data)

    @extend_schema(operation_id="webhooks_delete", request=None, responses={204: None})
    def delete(self, request: Request, pk: int) -> Response:
        """Removes a webhook with its log."""
        _must_manage(request)
        services.delete_endpoint(get_object_or_404(WebhookEndpoint, pk=pk), actor=actor_name(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class RotateView(APIView):
    staff_permission = "campaigns.change_webhookendpoint"
    required_scope = Scope.SENDERS_WRITE

    @extend_schema(operation_id="webhooks_rotate_secret", request=None, responses=NewWebhookSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """A new secret; the old one signs along for a day."""
        _must_manage(request)
        endpoint = get_object_or_404(WebhookEndpoint, pk=pk)
        services.rotate_secret(endpoint, actor=actor_name(request))
        endpoint.refresh_from_db()
        return Response(NewWebhookSerializer(endpoint).data)


class TellingsView(APIView):
    staff_permission = "campaigns.change_webhookendpoint"
    required_scope = SCOPES
    pagination_class = NewestFirst

    @extend_schema(
        operation_id="webhooks_calls",
        parameters=[OpenApiParameter("status", enum=TellingStatus.values)],
        responses=TellingSerializer(many=True),
    )  # fmt: skip
    def get(self, request: Request, pk: int) -> Response:
        """The log of a webhook, newest first."""
        endpoint = get_object_or_404(WebhookEndpoint, pk=pk)
        wanted = request.query_params.get("status", "")
        if wanted and wanted not in TellingStatus.values:
            raise serializers.ValidationError({"status": [f"One of: {', '.join(TellingStatus.values)}."]})
        response = answer_page(self, request, selectors.log_of(endpoint, status=wanted), TellingSerializer)
        _show_customers(request, response.data["results"])
        return response

    @extend_schema(
        operation_id="webhooks_call_again", request=SendAgainSerializer, responses=SentAgainSerializer
    )
    def post(self, request: Request, pk: int) -> Response:
        """Sends one call, or all failed ones, again under the same id."""
        _must_manage(request)
        body = SendAgainSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        endpoint = get_object_or_404(WebhookEndpoint, pk=pk)
        count = services.tell_again(endpoint, telling=body.validated_data["call"], actor=actor_name(request))
        return Response({"calls": count})


def _show_customers(request: Request, rows: list[dict[str, Any]]) -> None:
    if may_see(request):
        told = Telling.objects.filter(pk__in=[row["id"] for row in rows], customer__isnull=False)
        note_read(request, told.values_list("customer_id", flat=True), page="API: webhook calls")
        return
    for row in rows:
        row["customer"] = MASK if row["customer"] else None


def _save(endpoint: WebhookEndpoint | None, request: Request) -> WebhookEndpoint:
    _must_manage(request)
    body = WebhookSerializer(endpoint, data=request.data)
    body.is_valid(raise_exception=True)
    return services.save_endpoint(endpoint, **body.validated_data, actor=actor_name(request))


def _must_manage(request: Request) -> None:
    """Staff need the right to these very rows: they decide where data goes. Keys have it by their scope."""
    if isinstance(request.user, User) and not request.user.has_perm("campaigns.change_webhookendpoint"):
        raise PermissionDenied
