"""`POST /api/v1/decide`: what to show, asked by pages, apps and servers. And its reports of what was seen."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns.onsite import showing
from campaigns.onsite.admission import Admitted
from campaigns.onsite.answering import Question, answer, as_body
from campaigns.onsite.errors import NotAllowed
from campaigns.onsite.quick import PRIVATE
from campaigns.onsite.serializers import DecideAnswer, DecideRequest, ReportsAnswer, ReportsRequest
from experiments.traffic import client_keys
from personalization.access.authentication import authenticate_key, token_of
from personalization.access.models import Scope

EDGE = "public, max-age=30, stale-if-error=86400"
LATE = timedelta(days=2)


class DecideView(APIView):
    # Calls of POST that are written as usual do not come here: see `quick`.
    # The key is read together with all else, inside the deadline.
    authentication_classes = ()
    permission_classes = ()
    required_scope = Scope.DECIDE

    @extend_schema(operation_id="decide", request=DecideRequest, responses={200: DecideAnswer})
    def post(self, request: Request) -> Response:
        """What to show one visitor in each placement, and why.

        A client key (`sdk-…`) does as well: it is public, and knows visitors only by their anonymous id.
        """
        token = token_of(request)
        if not token:
            raise NotAllowed
        body = DecideRequest(data=request.data)
        body.is_valid(raise_exception=True)
        asked = body.validated_data
        is_batch = "batch" in asked
        questions = [_question(one) for one in (asked["batch"] if is_batch else [asked])]
        response = Response(as_body(answer(token, questions), is_batch=is_batch))
        response["Cache-Control"] = PRIVATE
        return response

    @extend_schema(
        operation_id="decide_for_nobody", responses={200: DecideAnswer},
        parameters=[OpenApiParameter(
                "placements", {"type": "string", "minLength": 1}, required=True,
                description="Keys, with commas.",
            )],
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """The same for everybody, for caches at the edge. The key may stand in the address: `key`."""
        token = token_of(request) or request.query_params.get("key")
        if not token:
            raise NotAllowed
        names = request.query_params.get("placements", "").split(",")
        body = DecideRequest(data={"placements": [one for one in names if one], "private": True})
        body.is_valid(raise_exception=True)
        response = Response(answer(token, [_question(body.validated_data)])[0])
        response["Cache-Control"] = EDGE
        return response


class ReportsView(APIView):
    authentication_classes = ()
    permission_classes = ()
    required_scope = Scope.DECIDE

    @extend_schema(request=ReportsRequest, responses={202: ReportsAnswer})
    def post(self, request: Request) -> Response:
        """What visitors saw and clicked, with any key that may decide. A report sent again counts once, one
        with a test key not at all."""
        is_test = _admitted(request).is_test
        body = ReportsRequest(data=request.data)
        body.is_valid(raise_exception=True)
        asked, now = body.validated_data, timezone.now()
        reports = [
            showing.Report(
                one["kind"], one["token"], _at(one["at"], now), asked["anonymous_id"], asked["device"]
            )
            for one in asked["reports"]
            if showing.read(one["token"]) is not None
        ]
        if not is_test:
            showing.note(reports)
        return Response({"taken": len(reports)}, status=202)


def _admitted(request: Request) -> Admitted:
    token = token_of(request) or request.query_params.get("key") or ""
    if client_keys.is_live(token):
        return Admitted(is_public=True)
    key = authenticate_key(token)
    if key is None or Scope.DECIDE not in key.scopes:
        raise NotAllowed
    return Admitted(is_public=False, is_test=key.is_test)


def _at(given: datetime | None, now: datetime) -> datetime:
    """A page's clock may be wrong: only a time of the last days is believed."""
    return given if given is not None and now - LATE <= given <= now else now


def _question(asked: dict[str, Any]) -> Question:
    return Question(
        asked["placements"], asked["customer"], asked["anonymous_id"], asked.get("context", {}),
        asked["seen"], asked["private"],
    )  # fmt: skip
