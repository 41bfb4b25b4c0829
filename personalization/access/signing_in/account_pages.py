"""Security of one's own account: second factor, browsers, single sign-on."""

from typing import cast

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from personalization.access.models import SecondFactor, User
from personalization.access.services import actor_name
from personalization.access.shell import any_staff_page, render_page
from personalization.access.signing_in import second_factor, sessions, single_sign_on


@require_GET
@any_staff_page
def home(request: HttpRequest) -> HttpResponse:
    user = _owner(request)
    factor = SecondFactor.objects.filter(user=user, confirmed_at__isnull=False).first()
    context = {
        "factor": factor,
        "codes_left": second_factor.codes_left(user),
        "is_required": second_factor.is_required(user),
        "devices": sessions.devices_of(user),
        "this_session": request.session.session_key,
        "single_sign_on": settings.OIDC_NAME if single_sign_on.is_on() else "",
        "identities": user.external_identities.all(),
    }
    return render_page(request, "account/home.html", context, title=_("Security"))


@require_http_methods(["GET", "POST"])
@any_staff_page
def set_up(request: HttpRequest) -> HttpResponse:
    """Sets the second factor up; or, in a browser that came without it, asks for its code."""
    user = _owner(request)
    if second_factor.has_second_factor(user):
        return _show_code(request, user)
    error = ""
    if request.method == "POST":
        codes = second_factor.confirm(user, request.POST.get("code", ""))
        if codes is not None:
            request.session[sessions.STRONG] = True
            return _codes_page(request, codes)
        error = str(second_factor.WRONG_CODE)
    factor = second_factor.prepare(user)
    context = {
        "picture": second_factor.draw_code(factor),
        "secret": factor.secret,
        "error": error,
        "is_required": second_factor.is_required(user),
    }
    return render_page(request, "account/second_factor.html", context, title=_("Set up a second factor"))


@require_POST
@any_staff_page
def switch_off(request: HttpRequest) -> HttpResponse:
    user = _owner(request)
    if second_factor.is_required(user):
        messages.error(request, _("Your role needs a second factor: it cannot be switched off."))
    elif _code_is_right(request, user):
        second_factor.switch_off(user, actor=actor_name(request))
        messages.success(request, _("The second factor is off. Remove the entry from your app."))
    return redirect("account:home")


@require_POST
@any_staff_page
def renew_codes(request: HttpRequest) -> HttpResponse:
    user = _owner(request)
    if not _code_is_right(request, user):
        return redirect("account:home")
    return _codes_page(request, second_factor.make_recovery_codes(user))


@require_POST
@any_staff_page
def end_session(request: HttpRequest, pk: int) -> HttpResponse:
    ended = sessions.end_sessions(
        sessions.devices_of(_owner(request)).filter(pk=pk), actor=actor_name(request)
    )
    if ended:
        messages.success(request, _("That browser is logged out."))
    return redirect("account:home")


@require_POST
@any_staff_page
def end_others(request: HttpRequest) -> HttpResponse:
    others = sessions.devices_of(_owner(request)).exclude(session_id=request.session.session_key)
    ended = sessions.end_sessions(others, actor=actor_name(request))
    said = ngettext("%(n)d browser is logged out.", "%(n)d browsers are logged out.", ended)
    messages.success(request, said % {"n": ended})
    return redirect("account:home")


@require_POST
@any_staff_page
def disconnect(request: HttpRequest) -> HttpResponse:
    user = _owner(request)
    if user.has_usable_password():
        single_sign_on.disconnect(user)
        messages.success(request, _("Disconnected. Log in with your password from now on."))
    else:
        messages.error(request, _("Have an administrator give you a password first: it is your only way in."))
    return redirect("account:home")


def _show_code(request: HttpRequest, user: User) -> HttpResponse:
    if request.session.get(sessions.STRONG):
        return redirect("account:home")
    if request.method == "POST" and _code_is_right(request, user):
        request.session[sessions.STRONG] = True
        return redirect("admin:index")
    return render_page(request, "account/confirm.html", {}, title=_("Second factor"))


def _code_is_right(request: HttpRequest, user: User) -> bool:
    """Says on the page what is wrong, when it is not."""
    try:
        if second_factor.has_second_factor(user) and second_factor.check(user, request.POST.get("code", "")):
            return True
        messages.error(request, str(second_factor.WRONG_CODE))
    except second_factor.TooManyCodesError:
        messages.error(request, str(second_factor.TOO_MANY))
    return False


def _codes_page(request: HttpRequest, codes: list[str]) -> HttpResponse:
    return render_page(request, "account/recovery_codes.html", {"codes": codes}, title=_("Recovery codes"))


def _owner(request: HttpRequest) -> User:
    return cast(User, request.user)
