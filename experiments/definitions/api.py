"""The API of metric definitions: list, create, archive. A definition is never edited: that would change
what was measured with it; make a new one and archive the old."""

from typing import Any

from django.core.exceptions import ValidationError as Invalid
from django.db import transaction
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from experiments import metrics
from experiments.models import Metric
from personalization.access.known_fields import KnownFields
from personalization.access.models import Scope
from personalization.access.pagination import CursorPagination, answer_page
from personalization.access.services import actor_name, audit

READ_WRITE = {"GET": Scope.CAMPAIGNS_READ, "POST": Scope.CAMPAIGNS_WRITE}


class MetricSerializer(KnownFields, serializers.ModelSerializer[Metric]):
    kind = serializers.ChoiceField(choices=metrics.names(), help_text="How events become one number.")

    class Meta:
        model = Metric
        fields = [
            "key", "name", "kind", "event", "denominator_event", "property_name", "property_value",
            "direction", "scope", "from_day", "window_days", "cap", "quantile", "role", "margin",
            "covariate_days", "position", "archived_at",
        ]  # fmt: skip
        read_only_fields = ["archived_at"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        try:
            Metric(**attrs).clean()
        except Invalid as error:
            raise serializers.ValidationError(error.message_dict) from error
        return attrs


class MetricsView(APIView):
    staff_permission = "experiments.add_metric"
    required_scope = READ_WRITE
    pagination_class = CursorPagination

    @extend_schema(
        responses=MetricSerializer(many=True),
        parameters=[OpenApiParameter("archived", bool, description="Also those that were archived.")],
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """The metrics in use, oldest first."""
        found = Metric.objects.order_by("pk")
        archived = request.query_params.get("archived", "").lower()
        if archived not in ("", "true", "false"):
            raise serializers.ValidationError({"archived": ["true or false."]})
        if archived != "true":
            found = found.filter(archived_at=None)
        return answer_page(self, request, found, MetricSerializer)

    @extend_schema(request=MetricSerializer, responses={201: MetricSerializer})
    def post(self, request: Request) -> Response:
        """Defines a metric; every report shows it from its next result on."""
        body = MetricSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        with transaction.atomic():
            metric = body.save()
            audit(actor_name(request), "metric.created", f"metric:{metric.key}")
        return Response(MetricSerializer(metric).data, status=status.HTTP_201_CREATED)


class MetricView(APIView):
    required_scope = Scope.CAMPAIGNS_READ

    @extend_schema(responses=MetricSerializer)
    def get(self, request: Request, key: str) -> Response:
        """One metric, archived or not."""
        return Response(MetricSerializer(get_object_or_404(Metric, key=key)).data)


class ArchiveMetricView(APIView):
    staff_permission = "experiments.change_metric"
    required_scope = Scope.CAMPAIGNS_WRITE

    @extend_schema(request=None, responses=MetricSerializer)
    def post(self, request: Request, key: str) -> Response:
        """New results leave it out; plans that were made with it keep it. Archiving twice changes nothing."""
        metric = get_object_or_404(Metric, key=key)
        with transaction.atomic():
            if Metric.objects.filter(pk=metric.pk, archived_at=None).update(archived_at=timezone.now()):
                audit(actor_name(request), "metric.archived", f"metric:{key}")
        metric.refresh_from_db()
        return Response(MetricSerializer(metric).data)
