"""What the builder asks when somebody describes a segment in words."""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from personalization.access.problems import ProblemError
from personalization.access.services import actor_name
from personalization.access.shell import staff_page
from personalization.language_model import tasks
from personalization.language_model.models import Call
from personalization.segments.from_words import SegmentDefinition, ask_for_definition
from personalization.segments.views import read_body, refused


@require_POST
@staff_page("segments.view_segment")
def ask(request: HttpRequest) -> HttpResponse:
    if not (
        request.user.has_perm("segments.add_segment") or request.user.has_perm("segments.change_segment")
    ):
        raise PermissionDenied
    try:
        call = ask_for_definition(str(read_body(request).get("sentence", "")), actor=actor_name(request))
    except ProblemError as error:
        return refused(error)
    if call.is_under_way:
        tasks.answer.delay(call.pk)
    return _told(call)


@require_GET
@staff_page("segments.view_segment")
def answer(request: HttpRequest, call_id: int) -> HttpResponse:
    return _told(get_object_or_404(Call, pk=call_id, purpose=SegmentDefinition.name))


def _told(call: Call) -> JsonResponse:
    return JsonResponse(
        {
            "url": reverse("segments:from-words-answer", args=[call.pk]),
            "waiting": call.is_under_way,
            "trouble": call.trouble,
            "result": call.result,
        }
    )
