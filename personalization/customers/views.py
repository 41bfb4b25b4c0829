"""The profile page of one customer."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from personalization.access.actors import actor_labels
from personalization.access.services import actor_name, audit
from personalization.access.shell import render_page, staff_page
from personalization.customers import reading, selectors, services
from personalization.customers.errors import InvalidConsent
from personalization.customers.models import Channel, Customer, SuppressionReason

MOST_SHOWN = 30


@require_GET
@staff_page("customers.view_customer")
def profile(request: HttpRequest, pk: int) -> HttpResponse:
    customer = get_object_or_404(Customer, pk=pk)
    if customer.merged_into_id:
        return redirect("customers:profile", customer.merged_into_id)
    suppressions = list(selectors.suppressions_of(customer))
    silent = {one.channel for one in suppressions}
    reached = [one for one in Channel if selectors.present_address(customer, channel=one)]
    may_see = reading.may_see(request)
    reading.show_one(request, customer, page="profile")
    merges = list(customer.merges.all()[:50]) if may_see else []
    people = actor_labels(merge.actor for merge in merges)
    # However long the history, the page stays short until somebody asks for all of it.
    most = None if "all" in request.GET else MOST_SHOWN
    statements = selectors.consent_history(customer).order_by("-is_current", "-recorded_at", "-id")
    identifiers = customer.identifiers.order_by("-created_at", "-id")
    lists = {"statements": statements, "identifiers": identifiers if may_see else identifiers.none()}
    context = {
        "customer": customer,
        "may_see": may_see,
        "merges": [(merge, people[merge.actor]) for merge in merges],
        **{name: rows[:most] for name, rows in lists.items()},
        "has_more": {name: bool(most) and rows[MOST_SHOWN:].exists() for name, rows in lists.items()},
        "suppressions": suppressions,
        "channels": list(Channel),
        "may_silence": [one for one in reached if one not in silent],
    }
    return render_page(request, "customers/profile.html", context, title=str(customer))


@require_POST
@staff_page("customers.add_consent")
def change_consent(request: HttpRequest, pk: int) -> HttpResponse:
    """Records what the customer told a member of staff."""
    channel, topic = request.POST.get("channel", ""), request.POST.get("topic", "").strip()
    granted = request.POST.get("granted") == "1"
    get_object_or_404(Customer, pk=pk)
    try:
        with transaction.atomic():
            services.record_consent(pk, channel=channel, topic=topic, granted=granted, source="staff")
            audit(
                actor_name(request), "consent.recorded", f"customer:{pk}",
                channel=channel, topic=topic, granted=granted,
            )  # fmt: skip
    except InvalidConsent as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The consent was recorded."))
    return redirect("customers:profile", pk)


@require_POST
@staff_page("customers.view_customer")
def change_suppression(request: HttpRequest, pk: int) -> HttpResponse:
    """Puts the present address on the suppression list, or takes it off again."""
    customer = get_object_or_404(Customer, pk=pk)
    wanted = request.POST.get("suppressed") == "1"
    if not request.user.has_perm("customers.add_suppression" if wanted else "customers.delete_suppression"):
        raise PermissionDenied
    channel = request.POST.get("channel", "")
    if channel not in Channel.values:
        raise Http404
    address = selectors.present_address(customer, channel=channel)
    if not address:
        messages.error(request, _("This customer has no address on this channel."))
        return redirect("customers:profile", pk)
    with transaction.atomic():
        if wanted:
            services.suppress(
                channel=channel, address=address, reason=SuppressionReason.MANUAL, customer_id=pk
            )
        else:
            services.unsuppress(channel=channel, address=address)
        action = "suppression.added" if wanted else "suppression.removed"
        audit(actor_name(request), action, f"customer:{pk}", channel=channel)
    messages.success(
        request, _("The address was suppressed.") if wanted else _("The address may be written to again.")
    )
    return redirect("customers:profile", pk)
