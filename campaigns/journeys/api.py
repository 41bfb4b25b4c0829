"""The API of journeys: draft, publish, steer, let people in, see who is where."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns import tasks
from campaigns.journeys import selectors, services
from campaigns.journeys.templates import create_from_template, template_names
from campaigns.models import Journey, JourneyVersion, Passage, PassageStatus
from campaigns.triggering.people import PeopleSerializer, known_people
from personalization.access.known_fields import KnownFields
from personalization.access.models import Scope, User
from personalization.access.pagination import PAGE_SIZE, CursorPagination, answer_page
from personalization.access.services import actor_name, is_test_call
from personalization.customers.reading import MASK, may_see, note_read
from personalization.privacy.floor import is_reportable, smallest_cell

READ_WRITE = {"GET": Scope.CAMPAIGNS_READ, "POST": Scope.CAMPAIGNS_WRITE, "PUT": Scope.CAMPAIGNS_WRITE}


class JourneyVersionSerializer(serializers.ModelSerializer[JourneyVersion]):
    class Meta:
        model = JourneyVersion
        fields = ["number", "graph", "published_at", "published_by"]


class JourneySerializer(serializers.ModelSerializer[Journey]):
    graph = serializers.JSONField(source="draft", help_text="The draft; see docs/journeys.md.")
    versions = JourneyVersionSerializer(many=True, read_only=True)

    class Meta:
        model = Journey
        fields = ["id", "name", "status", "graph", "versions", "created_at", "updated_at"]
        read_only_fields = ["status"]


class NewJourneySerializer(KnownFields, serializers.Serializer[Any]):
    name = serializers.CharField(max_length=200, required=False, default="")
    graph = serializers.DictField(required=False, default=None, allow_null=True)
    template = serializers.ChoiceField(
        choices=template_names(), required=False, allow_null=True, default=None
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if (attrs["graph"] is None) == (attrs["template"] is None):
            raise serializers.ValidationError("Give either a graph or the name of a template.")
        return attrs


class ChangedJourneySerializer(KnownFields, serializers.Serializer[Any]):
    name = serializers.CharField(max_length=200)
    graph = serializers.DictField()


class PublishSerializer(KnownFields, serializers.Serializer[Any]):
    move_inside = serializers.BooleanField(
        default=False, help_text="Those inside go on in the new version where it has their step."
    )


class NodeCountSerializer(serializers.Serializer[Any]):
    inside = serializers.IntegerField()
    failed = serializers.IntegerField(help_text="Stuck there by an error.")
    passed = serializers.IntegerField()
    exits = serializers.DictField(child=serializers.IntegerField())


class CountsSerializer(serializers.Serializer[Any]):
    """entered = inside + finished + left + failed."""

    entered = serializers.IntegerField()
    inside = serializers.IntegerField()
    finished = serializers.IntegerField()
    left = serializers.IntegerField()
    failed = serializers.IntegerField()
    goal = serializers.IntegerField()
    nodes = serializers.DictField(child=NodeCountSerializer())


class PassageSerializer(serializers.ModelSerializer[Passage]):
    customer = serializers.CharField(source="customer.external_id", allow_null=True, default=None)
    version = serializers.IntegerField(source="version.number")
    way = serializers.SerializerMethodField(help_text="The steps so far: node, exit, detail, at.")

    class Meta:
        model = Passage
        fields = [
            "id", "customer_id", "customer", "version", "status", "node", "entry", "entered_at", "arrived_at",
            "due_at", "ended_at", "end_reason", "goal_at", "is_test", "way",
        ]  # fmt: skip

    def get_way(self, passage: Passage) -> list[dict[str, Any]]:
        return selectors.way_of(passage)


class JourneysView(APIView):
    staff_permission = "campaigns.add_journey"
    required_scope = READ_WRITE
    pagination_class = CursorPagination

    @extend_schema(responses=JourneySerializer(many=True))
    def get(self, request: Request) -> Response:
        """All journeys, oldest first."""
        return answer_page(self, request, Journey.objects.prefetch_related("versions").order_by("pk"),
                     JourneySerializer)  # fmt: skip

    @extend_schema(request=NewJourneySerializer, responses={201: JourneySerializer})
    def post(self, request: Request) -> Response:
        """A new draft, from a graph or from a template (which also drafts its messages)."""
        body = NewJourneySerializer(data=request.data)
        body.is_valid(raise_exception=True)
        data, user = body.validated_data, request.user if isinstance(request.user, User) else None
        if data["template"]:
            journey = create_from_template(
                data["template"], name=data["name"], actor=actor_name(request), created_by=user
            )
        else:
            journey = services.save_journey(
                None, name=data["name"], graph=data["graph"], actor=actor_name(request), created_by=user
            )
        return Response(JourneySerializer(journey).data, status=status.HTTP_201_CREATED)


class JourneyView(APIView):
    staff_permission = "campaigns.change_journey"
    required_scope = READ_WRITE

    @extend_schema(responses=JourneySerializer)
    def get(self, request: Request, pk: int) -> Response:
        """One journey with its draft and all versions."""
        return Response(JourneySerializer(get_object_or_404(Journey, pk=pk)).data)

    @extend_schema(request=ChangedJourneySerializer, responses=JourneySerializer)
    def put(self, request: Request, pk: int) -> Response:
        """Replaces name and draft; what is published stays as it is."""
        body = ChangedJourneySerializer(data=request.data)
        body.is_valid(raise_exception=True)
        journey = services.save_journey(
            get_object_or_404(Journey, pk=pk), **body.validated_data, actor=actor_name(request)
        )
        return Response(JourneySerializer(journey).data)


class PublishView(APIView):
    staff_permission = "campaigns.launch_campaign"
    required_scope = Scope.CAMPAIGNS_WRITE

    @extend_schema(request=PublishSerializer, responses=JourneySerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Makes the draft the version that lets people in, and opens the campaigns it sends."""
        journey = get_object_or_404(Journey, pk=pk)
        body = PublishSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        services.publish(journey, **body.validated_data, actor=actor_name(request))
        journey.refresh_from_db()
        return Response(JourneySerializer(journey).data)


class SteerJourneyView(APIView):
    """pause, resume, retry or end; which one is in the address."""

    staff_permission = "campaigns.launch_campaign"
    required_scope = Scope.CAMPAIGNS_WRITE
    action = ""

    @extend_schema(request=None, responses=CountsSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Steers the journey and answers its counts; 409 when its state does not allow that."""
        journey = get_object_or_404(Journey, pk=pk)
        services.STEER[self.action](journey, actor=actor_name(request))
        return Response(CountsSerializer(_counts(request, journey)).data)


class CountsView(APIView):
    required_scope = Scope.CAMPAIGNS_READ

    @extend_schema(responses=CountsSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """How many stand where, came by, and ended how; all versions together."""
        return Response(CountsSerializer(_counts(request, get_object_or_404(Journey, pk=pk))).data)


def _counts(request: Request, journey: Journey) -> dict[str, Any]:
    return selectors.told_journey(selectors.counts(journey), whole=may_see(request))


class EnteredSerializer(serializers.Serializer[Any]):
    entered = serializers.IntegerField(help_text="Those whom the re-entry rule let in.")


class EnterView(APIView):
    staff_permission = "campaigns.launch_campaign"
    required_scope = Scope.CAMPAIGNS_WRITE
    takes_tests = True

    @extend_schema(request=PeopleSerializer, responses=EnteredSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Lets up to 500 named customers into a journey that is entered by the API.

        With a test key they pass through it beside everybody else: nothing leaves the house, no trait is
        written, nobody is counted. Waits are those of the journey.
        """
        journey = get_object_or_404(Journey, pk=pk)
        body = PeopleSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        people = known_people(body.validated_data["recipients"], shared=body.validated_data["variables"])
        key = body.validated_data["idempotency_key"]
        entered = services.enter_by_api(
            journey, people, key=key, actor=actor_name(request), is_test=is_test_call(request)
        )
        tasks.wake()
        return Response({"entered": entered})


class PeopleView(APIView):
    required_scope = Scope.CAMPAIGNS_READ
    pagination_class = CursorPagination

    @extend_schema(
        parameters=[
            OpenApiParameter("node"),
            OpenApiParameter("status", enum=PassageStatus.values),
            OpenApiParameter("cursor"),
            OpenApiParameter("page_size", PAGE_SIZE),
        ],
        responses=PassageSerializer(many=True),
    )
    def get(self, request: Request, pk: int) -> Response:
        """Who is in the journey or was, where, since when, and the way each took. Staff who may not see
        personal data get masks, and are refused where they are too few."""
        wanted = request.query_params.get("status", "")
        if wanted and wanted not in PassageStatus.values:
            raise serializers.ValidationError({"status": [f"One of: {', '.join(PassageStatus.values)}."]})
        found = selectors.people(
            get_object_or_404(Journey, pk=pk), node=request.query_params.get("node", ""), status=wanted
        )
        if not may_see(request) and not is_reportable(found.order_by()[: smallest_cell()].count()):
            raise PermissionDenied
        response = answer_page(self, request, found, PassageSerializer)
        rows = response.data["results"]
        if may_see(request):
            note_read(request, [r["customer_id"] for r in rows if r["customer_id"]], page="API: journey")
        else:
            for row in rows:
                row["customer"] = MASK if row["customer"] else None
        return response
