"""Saving and removing views of the list of customers; the list itself is the admin's."""

from typing import cast
from urllib.parse import parse_qsl

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from personalization.access.models import User
from personalization.access.problems import ProblemError
from personalization.access.services import actor_name
from personalization.access.shell import staff_page
from personalization.customers import saved_views
from personalization.customers.models import SavedView

LIST = "admin:customers_customer_changelist"


@require_POST
@staff_page("customers.view_customer")
def save(request: HttpRequest) -> HttpResponse:
    """What is seen now, under a name."""
    asked = request.POST.get("filters", "")[:2_000]
    try:
        view = saved_views.save_view(
            cast(User, request.user), name=request.POST.get("name", ""),
            filters=dict(parse_qsl(asked.removeprefix("?"))), columns=request.POST.getlist("column"),
            is_shared="is_shared" in request.POST, actor=actor_name(request),
        )  # fmt: skip
    except ProblemError as error:
        messages.error(request, error.detail)
        return redirect(LIST)
    messages.success(request, _("The view was saved."))
    return redirect(f"{reverse(LIST)}?{saved_views.address_of(view)}")


@require_POST
@staff_page("customers.view_customer")
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Only one's own."""
    view = get_object_or_404(SavedView, pk=pk, owner=request.user)
    saved_views.remove_view(view, actor=actor_name(request))
    messages.success(request, _("The view was removed."))
    return redirect(LIST)
