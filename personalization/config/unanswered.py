"""What no view answered: programs get problem details like everywhere in the API, people Django's pages."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views import defaults

from personalization.access.problems import problem_response

API = ("/api/", "/v1/", "/ofrep/")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    title = _("The request cannot be carried out")
    return _answer(request, 400, title, lambda: defaults.bad_request(request, exception))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, 404, _("Not found"), lambda: defaults.page_not_found(request, exception))


def failed(request: HttpRequest) -> HttpResponse:
    title = _("Something failed here; the X-Request-Id finds it in our logs")
    return _answer(request, 500, title, lambda: defaults.server_error(request))


def _answer(request: HttpRequest, status: int, title: str, page: Callable[[], HttpResponse]) -> HttpResponse:
    if request.path_info.startswith(API):
        return problem_response(status=status, title=title)
    return page()
