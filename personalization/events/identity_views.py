"""Staff join two profiles, or take a merge back."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from personalization.access.services import actor_name
from personalization.access.shell import staff_page
from personalization.customers import selectors
from personalization.customers.errors import MergeRefused, UnmergeRefused
from personalization.customers.models import Customer, Merge
from personalization.events import merging


@require_POST
@staff_page("customers.change_customer")
def merge(request: HttpRequest, pk: int) -> HttpResponse:
    """Takes the profile named in the form into this one."""
    customer = get_object_or_404(Customer, pk=pk)
    source = selectors.find_any(request.POST.get("source", "").strip())
    if source is None:
        messages.error(
            request, _("Nobody is known by this id. Give a customer id, or # and a profile number.")
        )
        return redirect("customers:profile", pk)
    try:
        done = merging.merge_by_hand(
            source.pk,
            into_id=customer.pk,
            actor=actor_name(request),
            note=request.POST.get("note", "").strip(),
        )
    except MergeRefused as error:
        messages.error(request, f"{error.title}. {error.detail}".strip())
        return redirect("customers:profile", pk)
    messages.success(request, _("The profiles are one now. You can undo this below."))
    return redirect("customers:profile", done.survivor_id)


@require_POST
@staff_page("customers.change_customer")
def undo(request: HttpRequest, pk: int) -> HttpResponse:
    record = get_object_or_404(Merge, pk=pk)
    try:
        merging.unmerge_by_hand(pk, actor=actor_name(request))
    except UnmergeRefused as error:
        messages.error(request, f"{error.title}. {error.detail}".strip())
    else:
        messages.success(request, _("Both profiles are back as they were."))
    return redirect("customers:profile", record.survivor_id)
