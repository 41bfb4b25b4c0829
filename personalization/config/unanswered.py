"""What no view answered: programs get problem details like everywhere in the API, people a page in their
language that says what to do. It asks nothing of the database, which may be what failed."""

from typing import NamedTuple

import structlog
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from personalization.access.problems import problem_response

API = ("/api/", "/v1/", "/ofrep/", "/hooks/")
STAFF = ("/admin/", "/app/")


class Said(NamedTuple):
    title: str
    advice: str


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(
        request,
        400,
        Said(_("The request cannot be carried out"), _("Go back, load the page again and try once more.")),
    )


def refused(request: HttpRequest, exception: Exception) -> HttpResponse:
    advice = _("Your role does not allow it. An administrator can change what you may do.")
    return _answer(request, 403, Said(_("You may not do this"), advice))


def forged(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Without the secret that each of our forms carries."""
    advice = _("Go back, load the page again and send it once more; cookies must be allowed.")
    return _answer(request, 403, Said(_("This page was open for too long, or is not ours"), advice))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if _is_api(request):
        detail = _("There is no such address: /api/docs has them all.")
        return problem_response(status=404, title=_("Not found"), detail=detail)
    advice = _("It was removed, or there is a slip in the address.")
    return _answer(request, 404, Said(_("Not found"), advice))


def failed(request: HttpRequest) -> HttpResponse:
    if _is_api(request):
        title = _("Something failed here; the X-Request-Id finds it in our logs")
        return problem_response(status=500, title=title)
    advice = _("Try again in a minute; if it fails again, tell whoever runs this server the number below.")
    return _answer(request, 500, Said(_("Something failed here"), advice))


def _is_api(request: HttpRequest) -> bool:
    return request.path_info.startswith(API)


def _answer(request: HttpRequest, status: int, said: Said) -> HttpResponse:
    if _is_api(request):
        return problem_response(status=status, title=said.title)
    context = {
        "said": said,
        "number": structlog.contextvars.get_contextvars().get("request_id") if status == 500 else None,
        "is_staff": request.path_info.startswith(STAFF),
    }
    return HttpResponse(render_to_string("shell/unanswered.html", context), status=status)
