"""The way in: name and password, then the code of a second factor; or by way of the identity provider."""

import time
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.views import LoginView
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods
from unfold.forms import AuthenticationForm

from personalization.access.models import SignInMethod, User
from personalization.access.signing_in import guesses, second_factor, single_sign_on
from personalization.access.signing_in.sessions import sign_in

WAITING, WAITING_SECONDS = "staff_waiting", 600
GOES_TO, CONNECTS = "single_sign_on_next", "single_sign_on_connects"


class SignInForm(AuthenticationForm):
    error_messages = {
        **AuthenticationForm.error_messages,
        "invalid_login": _lazy("No member of staff has this name and password. Capitals matter in both."),
    }

    def clean(self) -> dict[str, Any]:
        name, request = self.cleaned_data.get("username") or "", self.request
        assert request is not None
        if not settings.PASSWORD_SIGN_IN:
            raise ValidationError(_("Passwords are switched off here: use single sign-on."))
        if not guesses.may_try(request, username=name):
            raise ValidationError(_("Too many wrong passwords. Try again in ten minutes."))
        try:
            return super().clean()
        except ValidationError:
            guesses.note_wrong(request, username=name)
            raise


class SignIn(LoginView):
    """Stands at the address of the shell's own log-in page."""

    authentication_form = SignInForm
    template_name = "account/sign_in.html"
    redirect_authenticated_user = False

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {
            **super().get_context_data(**kwargs),
            **admin.site.each_context(self.request),
            "title": _("Log in"),
            "app_path": self.request.get_full_path(),
            "username": self.request.user.get_username(),
            REDIRECT_FIELD_NAME: self.get_redirect_url() or reverse("admin:index"),
            "single_sign_on": settings.OIDC_NAME if single_sign_on.is_on() else "",
            "password_sign_in": settings.PASSWORD_SIGN_IN,
        }

    def form_valid(self, form: Any) -> HttpResponse:
        user: Any = form.get_user()
        going_to = self.get_success_url()
        if second_factor.has_second_factor(user):
            self.request.session[WAITING] = [user.pk, time.time(), going_to, SignInMethod.SECOND_FACTOR.value]
            return redirect("account:code")
        sign_in(self.request, user, method=SignInMethod.PASSWORD, is_strong=False)
        return HttpResponseRedirect(going_to)


@never_cache
@require_http_methods(["GET", "POST"])
def ask_code(request: HttpRequest) -> HttpResponse:
    """After the right password: the code of the app, or a recovery code."""
    user, going_to, method = _waiting(request)
    if user is None:
        return redirect("admin:login")
    error = ""
    if request.method == "POST":
        try:
            if second_factor.check(user, request.POST.get("code", "")):
                del request.session[WAITING]
                sign_in(request, user, method=method, is_strong=True)
                return HttpResponseRedirect(going_to)
            error = str(second_factor.WRONG_CODE)
        except second_factor.TooManyCodesError:
            error = str(second_factor.TOO_MANY)
    context = {**admin.site.each_context(request), "title": _("Second factor"), "error": error}
    return render(request, "account/code.html", context)


def _waiting(request: HttpRequest) -> tuple[User | None, str, SignInMethod]:
    """Who gave the right password in the last ten minutes and still has to show the second factor."""
    pk, since, going_to, method = request.session.get(WAITING, (0, 0, "", SignInMethod.OTHER))
    if time.time() - since > WAITING_SECONDS:
        request.session.pop(WAITING, None)
        return None, "", SignInMethod.OTHER
    user = User.objects.filter(pk=pk, is_active=True, second_factor__confirmed_at__isnull=False).first()
    return user, going_to, SignInMethod(method)


@never_cache
@require_GET
def start_single_sign_on(request: HttpRequest) -> HttpResponse:
    """To the identity provider; `connect=1`, logged in: to connect the account that is logged in."""
    if not single_sign_on.is_on():
        raise Http404
    going_to = request.GET.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(
        going_to, {request.get_host()}, require_https=request.is_secure()
    )
    request.session[GOES_TO] = going_to if is_ours else reverse("admin:index")
    request.session[CONNECTS] = request.user.pk if "connect" in request.GET else None
    try:
        return single_sign_on.send_away(request, callback=settings.SITE_URL + reverse("account:callback"))
    except single_sign_on.SignInRefusedError as error:
        messages.error(request, str(error))
        return redirect("admin:login")


@never_cache
@require_GET
def finish_single_sign_on(request: HttpRequest) -> HttpResponse:
    if not single_sign_on.is_on():
        raise Http404
    connects, going_to = request.session.pop(CONNECTS, None), request.session.pop(GOES_TO, "/")
    try:
        claims = single_sign_on.take_back(request)
        if connects is not None:
            return _connect(request, connects, claims)
        user = single_sign_on.find_member(claims)
        single_sign_on.ensure_allowed(user)
    except single_sign_on.SignInRefusedError as error:
        messages.error(request, str(error))
        return redirect("account:home" if connects is not None else "admin:login")
    is_strong = single_sign_on.is_strong(claims)
    if not is_strong and second_factor.has_second_factor(user):
        request.session[WAITING] = [user.pk, time.time(), going_to, SignInMethod.SINGLE_SIGN_ON.value]
        return redirect("account:code")
    sign_in(request, user, method=SignInMethod.SINGLE_SIGN_ON, is_strong=is_strong)
    return HttpResponseRedirect(going_to)


def _connect(request: HttpRequest, pk: int, claims: dict[str, Any]) -> HttpResponse:
    if not request.user.is_authenticated or request.user.pk != pk:
        return redirect("admin:login")
    single_sign_on.connect(request.user, claims)
    messages.success(request, _("Connected. From now on you can log in by single sign-on."))
    return redirect("account:home")
