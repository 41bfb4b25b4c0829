"""Beside the editor: asking for texts, watching them come, deciding about them; and the list of all."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from campaigns.models import Campaign, Suggestion, SuggestionStatus
from campaigns.suggestions import services
from campaigns.suggestions.purpose import MessageText
from personalization.access.actors import actor_labels
from personalization.access.problems import ProblemError
from personalization.access.services import actor_name
from personalization.access.shell import render_page, staff_page
from personalization.language_model import tasks
from personalization.language_model.calls import endpoint_in_use
from personalization.language_model.models import Call
from personalization.segments.models import Segment

PER_PAGE = 25
APPROVE = "campaigns.approve_suggestion"


def may_suggest(request: HttpRequest) -> bool:
    return request.user.has_perm("campaigns.add_suggestion") and endpoint_in_use() is not None


@require_POST
@staff_page("campaigns.add_suggestion")
def ask(request: HttpRequest) -> HttpResponse:
    """What comes back is a part of a page that asks for itself until the texts are there."""
    given = request.POST
    number = {name: int(text) if (text := given.get(name, "")).isdecimal() and len(text) < 6 else 0
              for name in ("count", "limit", "turn", "segment", "campaign")}  # fmt: skip
    items = [one.strip() for one in given.get("items", "").split(",") if one.strip()]
    try:
        call = services.ask_for_texts(
            **{name: given.get(name, "") for name in
               ("field", "wish", "source", "language", "tone", "notes", "facts")},
            count=number["count"], limit=number["limit"], turn=number["turn"], items=items,
            segment=Segment.objects.filter(pk=number["segment"]).first(),
            campaign=Campaign.objects.filter(pk=number["campaign"]).first(),
            actor=actor_name(request),
        )  # fmt: skip
    except ProblemError as error:
        details = [one["detail"] for one in error.errors] or [f"{error.title}. {error.detail}"]
        return render(request, "campaigns/suggested.html", {"troubles": details})
    if call.is_under_way:
        tasks.answer.delay(call.pk)
    return _show(request, call)


@require_GET
@staff_page("campaigns.view_suggestion")
def call(request: HttpRequest, call_id: int) -> HttpResponse:
    return _show(request, get_object_or_404(Call, pk=call_id, purpose=MessageText.name))


def _show(request: HttpRequest, call: Call) -> HttpResponse:
    rows = [_row(request, one) for one in Suggestion.objects.filter(call=call).order_by("position")]
    troubles = [call.trouble] if call.trouble else []
    return render(request, "campaigns/suggested.html", {"call": call, "rows": rows, "troubles": troubles})


def _row(request: HttpRequest, suggestion: Suggestion) -> dict[str, Any]:
    return {
        "suggestion": suggestion,
        "by": actor_labels([suggestion.call.actor])[suggestion.call.actor],
        "markup": services.as_markup(suggestion.text) if suggestion.field == "body" else suggestion.text,
        "source": suggestion.call.question.get("source", ""),
        "can_decide": request.user.has_perm(APPROVE),
    }


@require_POST
@staff_page(APPROVE)
def decide(request: HttpRequest, suggestion_id: int, decision: str) -> HttpResponse:
    """The row as it is afterwards."""
    suggestion = get_object_or_404(Suggestion.objects.select_related("call"), pk=suggestion_id)
    act = {"approve": services.approve, "dismiss": services.dismiss}.get(decision)
    if act is None:
        raise PermissionDenied
    trouble = ""
    try:
        act(suggestion, actor=actor_name(request))
    except ProblemError as error:
        trouble = str(error.detail)
    suggestion.refresh_from_db()
    return render(
        request, "campaigns/suggestion.html", {"row": _row(request, suggestion), "trouble": trouble}
    )


@require_GET
@staff_page("campaigns.view_suggestion")
def suggestion_list(request: HttpRequest) -> HttpResponse:
    """All of them, newest first; those that wait unless another status is chosen."""
    status = request.GET.get("status", SuggestionStatus.DRAFT)
    found = Suggestion.objects.select_related("call", "campaign")
    if status in SuggestionStatus.values:
        found = found.filter(status=status)
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page_obj": page, "rows": [_row(request, one) for one in page.object_list],
        "statuses": SuggestionStatus.choices, "status": status,
    }  # fmt: skip
    return render_page(request, "campaigns/suggestions.html", context, title=_("Suggested texts"))
