"""What one customer would be shown now in a list of next best actions, and why. Nothing is written down."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.onsite.deciding import decide
from campaigns.onsite.features import SITUATION
from campaigns.onsite.live import load
from campaigns.onsite.models import Placement
from campaigns.onsite.visitors import Visitor, find_visitor
from personalization.access.shell import render_page, staff_page
from personalization.context import as_values
from personalization.customers import reading
from personalization.customers import selectors as customers
from personalization.customers.contexts import context_of
from recommender.inputs.moment import Moment

DEVICES = ("", "desktop", "mobile", "tablet")
REASONS = {
    "chosen": gettext_lazy("It is shown:"), "control": gettext_lazy("In the control group of:"),
    "holdout": gettext_lazy("In a holdout: the default content is shown."),
    "nothing_fits": gettext_lazy("No offer fits: the default content is shown."),
    "nothing_is_better": gettext_lazy(
        "No offer is likely to earn more than nothing: the default content is shown."
    ),
}  # fmt: skip
PASSED_OVER = {
    "not_in_segment": gettext_lazy("not in its segment"), "seen_often": gettext_lazy("seen often enough"),
    "not_covered": gettext_lazy("not covered by its experiment"),
    "broken": gettext_lazy("its content is broken"),
    "less_priority": gettext_lazy("another comes first"), "less_value": gettext_lazy("not drawn this time"),
    "template_failed": gettext_lazy("its template failed for this customer"),
}  # fmt: skip


@staff_page("onsite.view_placement")
def why(request: HttpRequest, key: str) -> HttpResponse:
    placement = get_object_or_404(Placement.objects.select_related("metric"), key=key)
    # Posted: an id of the shop's may name somebody, and addresses of pages are logged.
    wanted = request.POST.get("customer", "").strip().replace("\0", "")[:200]
    device = request.POST.get("device", "") if request.POST.get("device") in DEVICES else ""
    found: dict[str, Any] = {}
    if wanted:
        if not request.user.has_perm("customers.view_customer"):
            raise PermissionDenied
        found = _answer(request, placement, wanted, device)
    return render_page(
        request,
        "onsite/why.html",
        {
            "placement": placement, "words": wanted, "device": device,
            "devices": [(one, one or _("not known")) for one in DEVICES],
            "apart": [SITUATION.get(name, name) for name in placement.tells_apart], **found,
        },
        title=_("Why: %(name)s") % {"name": placement.name},
    )  # fmt: skip


def _answer(request: HttpRequest, placement: Placement, wanted: str, device: str) -> dict[str, Any]:
    customer = customers.find_any(wanted)
    if customer is None:
        return {"is_missing": True}
    reading.note_read(request, [customer.pk], page="next best action")
    now, known = timezone.now(), load()
    visitor = _visitor(customer.external_id, customer.pk, known.experiments([placement.key]))
    situation = context_of(dict(visitor.profile), at=now, raw={"device": {"type": device}} if device else {})
    decision = decide(
        visitor, [placement.key], known=known, moment=Moment(), now=now, details=as_values(situation)
    )[0]
    live = known.placements[placement.key].offers if placement.key in known.placements else ()
    names = {one.pk: one.name for one in live}
    ranked = {one.offer_id for one in decision.ranking}
    return {
        "decision": decision,
        "sentence": REASONS.get(decision.reason, decision.reason),
        "ranking": [(names[one.offer_id], one) for one in decision.ranking],
        "nothing": max(0, 100 - sum(one.percent for one in decision.ranking)) if decision.ranking else None,
        "passed_over": [
            (names[pk], PASSED_OVER.get(why, why)) for pk, why in decision.trail if pk not in ranked
        ],
    }  # fmt: skip


def _visitor(external_id: str | None, pk: int, experiments: set[int]) -> Visitor:
    if external_id:
        return find_visitor(customer_id=external_id, experiments=experiments)
    return Visitor(pk, "", "", customers.profiles([pk])[pk])
