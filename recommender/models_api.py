"""`/api/v1/models`: train, look at the evidence, promote, roll back."""

from typing import Any

from django.db import transaction
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from personalization.access.known_fields import KnownFields
from personalization.access.models import Scope
from personalization.access.pagination import NewestFirst, answer_page
from personalization.access.services import actor_name
from personalization.access.time_left import seconds_left
from recommender import services, tasks
from recommender.models import DecidingMetric, ModelRun, RunStatus

READ_WRITE = {"GET": Scope.MODELS_READ, "POST": Scope.MODELS_WRITE}


class TrainingRequest(KnownFields, serializers.Serializer[Any]):
    algorithm = serializers.CharField(
        max_length=50, default="auto", help_text="auto chooses algorithm and parameters within the budget."
    )
    parameters = serializers.DictField(default=dict, help_text="Others keep their defaults, or are tuned.")
    event_weights = serializers.DictField(
        child=serializers.FloatField(), default=None, allow_null=True,
        help_text="What each event counts, by name; null: purchases 1, carts 0.3, views 0.1.",
    )  # fmt: skip
    repeats = serializers.BooleanField(
        default=None, allow_null=True,
        help_text="Judged by, and used for, also what a customer has already. Null: as suits the algorithm.",
    )  # fmt: skip
    metric = serializers.ChoiceField(
        choices=DecidingMetric.choices, default=DecidingMetric.NDCG,
        help_text="What it has to be better by to serve by itself.",
    )  # fmt: skip
    budget_seconds = serializers.IntegerField(
        default=None, allow_null=True, help_text="Search parameters so long; null: no search (auto: 60)."
    )


class ReasonRequest(KnownFields, serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=300, help_text="Kept with the model.")


class ModelSerializer(serializers.ModelSerializer[ModelRun]):
    """`metrics` holds the decision in words, and each figure with its 95 % interval over customers."""

    seconds_left = serializers.SerializerMethodField(help_text="Null while nothing is known, and at the end.")

    class Meta:
        model = ModelRun
        fields = [
            "id", "algorithm", "requested", "parameters", "event_weights", "repeats", "metric",
            "budget_seconds", "tuning", "status", "progress", "progress_share", "error", "data_from",
            "data_until", "n_users", "n_items", "n_interactions", "metrics", "artifact_sha256",
            "is_champion", "promoted_at", "promoted_by", "promoted_reason", "created_at", "started_at",
            "finished_at", "seconds_left",
        ]  # fmt: skip
        read_only_fields = fields

    def get_seconds_left(self, run: ModelRun) -> int | None:
        is_running = run.status == RunStatus.RUNNING
        return seconds_left(run.started_at, run.progress_share) if is_running else None


class ModelsView(APIView):
    required_scope = READ_WRITE
    pagination_class = NewestFirst

    @extend_schema(responses=ModelSerializer(many=True))
    def get(self, request: Request) -> Response:
        """All trainings, newest first."""
        return answer_page(self, request, ModelRun.objects.defer("item_ids"), ModelSerializer)

    @extend_schema(operation_id="models_train", request=TrainingRequest, responses={202: ModelSerializer})
    def post(self, request: Request) -> Response:
        """Starts a training; it serves by itself only if it proves better. Look at it for its progress."""
        body = TrainingRequest(data=request.data)
        body.is_valid(raise_exception=True)
        with transaction.atomic():
            run = services.train(**body.validated_data, actor=actor_name(request))
            transaction.on_commit(lambda: tasks.train_model.delay(run.pk))
        return Response(ModelSerializer(run).data, status=status.HTTP_202_ACCEPTED)


class ModelView(APIView):
    required_scope = Scope.MODELS_READ

    @extend_schema(responses=ModelSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """One training: its progress, then its evidence."""
        return Response(ModelSerializer(get_object_or_404(ModelRun, pk=pk)).data)


class CancelView(APIView):
    required_scope = Scope.MODELS_WRITE

    @extend_schema(request=None, responses=ModelSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Ends a training that waits or goes on; nothing of it is kept. 409 when it is over."""
        run = get_object_or_404(ModelRun, pk=pk)
        services.cancel(run, actor=actor_name(request))
        run.refresh_from_db()
        return Response(ModelSerializer(run).data)


class PromoteView(APIView):
    required_scope = Scope.MODELS_WRITE

    @extend_schema(request=ReasonRequest, responses=ModelSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Makes this model the one that serves its use; 409 when it has no finished file."""
        run = get_object_or_404(ModelRun, pk=pk)
        services.promote(run, actor=actor_name(request), reason=_reason(request))
        run.refresh_from_db()
        return Response(ModelSerializer(run).data)


class RollbackView(APIView):
    required_scope = Scope.MODELS_WRITE

    @extend_schema(request=ReasonRequest, responses=ModelSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Away from this champion, back to the one before it, which is answered; 409 when it serves no more,
        so that a call sent twice goes back once.
        """
        run = get_object_or_404(ModelRun, pk=pk)
        reason = _reason(request)
        previous = services.roll_back(
            actor=actor_name(request), reason=reason, repeats=run.repeats, away_from=run.pk
        )
        return Response(ModelSerializer(previous).data)


def _reason(request: Request) -> str:
    body = ReasonRequest(data=request.data)
    body.is_valid(raise_exception=True)
    return str(body.validated_data["reason"])
