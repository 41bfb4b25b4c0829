"""What a customer would get this minute, and why: a part of the profile, ranked after the page is there."""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from personalization.access.shell import staff_page
from personalization.catalog.selectors import names
from personalization.customers.models import Customer
from recommender.ranking.reasons import say_reason
from recommender.selectors import recommend

COUNT = 6


@staff_page("recommender.view_modelrun")
def now(request: HttpRequest, customer_id: int) -> HttpResponse:
    if not request.user.has_perm("customers.view_customer"):
        raise PermissionDenied
    customer = get_object_or_404(Customer, pk=customer_id)
    return render(request, "recommender/now.html", {"picks": _picks(customer.pk)})


def _picks(customer_id: int) -> list[dict[str, str]]:
    """Best first; empty when no item may be shown."""
    found = recommend([customer_id], k=COUNT)[customer_id]
    known = names({pk for one in found for pk in (one.item_id, one.reason_item_id) if pk is not None})
    return [
        {
            "item": known[one.item_id][1],
            "reason": say_reason(
                one.reason_kind,
                because=known[one.reason_item_id][1] if one.reason_item_id in known else "",
                event=one.reason_event,
            ),
        }
        for one in found
        if one.item_id in known
    ]
