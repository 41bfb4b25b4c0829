"""After the log-in: the browser is noted, and who must have a second factor sets it up before all else."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from personalization.access.problems import problem_response
from personalization.access.signing_in import second_factor
from personalization.access.signing_in.sessions import STRONG, current_user, note_use

PROGRAMS = ("/api/", "/v1/")
# What stays open to who still has to set up a second factor.
OPEN = (
    "/app/account/",
    "/admin/logout/",
    "/admin/login/",
    "/i18n/",
    "/static/",
    "/healthz",
    "/readyz",
    "/t/",
    "/p/",
)


class StaffSessionMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = current_user(request)
        if user is None:
            return self.get_response(request)
        note_use(request)
        if request.session.get(STRONG) or request.path_info.startswith(OPEN):
            return self.get_response(request)
        if not second_factor.is_required(user):
            return self.get_response(request)
        if request.path_info.startswith(PROGRAMS):
            title = _("Your role needs a second factor: set it up under Security.")
            return problem_response(status=403, title=title)
        return redirect(reverse("account:second-factor"))
