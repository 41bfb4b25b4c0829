"""The page beside the editor: the message as six unlike customers or one of your choice would get it, its
links asked for on demand; and two versions of a message line by line."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from campaigns.models import Campaign
from campaigns.proofs import diff
from campaigns.proofs.addresses import check_addresses
from campaigns.proofs.asking import DEVICES, addresses_of, choices_for, make_proofs, read_asked
from campaigns.proofs.dark import darken
from campaigns.proofs.proof import Proof
from campaigns.proofs.unlike import Choice
from campaigns.why.words import facts_in_words
from personalization.access.services import actor_name, audit
from personalization.access.shell import render_page, staff_page
from personalization.content.messages import CLIPPED_AT
from personalization.customers import reading
from personalization.customers import search as customer_search
from personalization.customers.models import Customer

MAX_FOUND = 8


def views() -> dict[str, str]:
    return {"desktop": _("Desktop"), "phone": _("Phone"), "dark": _("Dark"), "text": _("Plain text")}


@require_http_methods(["GET", "POST"])
@staff_page("campaigns.view_campaign")
def proofs(request: HttpRequest, campaign_id: int) -> HttpResponse:
    """GET looks; POST asks all links and pictures of the messages besides, or finds (`look`) whom to look as:
    what staff type to find somebody stands in no address."""
    if not request.user.has_perm("customers.view_customer"):
        raise PermissionDenied
    campaign = get_object_or_404(Campaign.objects.select_related("segment"), pk=campaign_id)
    looks = "look" in request.POST
    given = request.POST.copy() if looks else request.GET.copy()
    words = request.POST.get("q", "").strip()[:100]
    # Who may not see names may not find out by searching for them.
    found = customer_search.search(words, limit=MAX_FOUND) if words and reading.may_see(request) else []
    for name in ("q", "look", "csrfmiddlewaretoken"):
        given.pop(name, None)
    if looks and (len(found) == 1 or not words):
        if found:
            given["customer"] = str(found[0].pk)
        return redirect(f"{request.path}?{given.urlencode()}")
    asked = read_asked(campaign, given)
    choices, is_segment = _choices(given, campaign, asked)
    made = make_proofs(request, campaign, asked, choices, may_see=reading.may_see(request))
    view = given.pop("as", ["desktop"])[-1]
    context: dict[str, Any] = {
        "campaign": campaign, "asked": asked, "query": given.urlencode(), "given": given,
        "variants": campaign.messages.order_by("position", "pk"), "devices": DEVICES, "views": views(),
        "view": view if view in views() else "desktop", "is_segment": is_segment, "words": words,
        "found": found if len(found) > 1 else [], "limit": CLIPPED_AT,
        "cards": [_card(proof, is_dark=view == "dark") for proof in made],
        "may_check": request.user.has_perm("campaigns.change_campaign"),
    }  # fmt: skip
    if request.method == "POST" and not looks:
        context["verdicts"] = _check(request, campaign, made)
    return render_page(request, "campaigns/proofs.html", context, title=_("Look before sending"))


def _choices(given: Mapping[str, Any], campaign: Campaign, asked: Any) -> tuple[list[Choice], bool]:
    wanted = given.get("customer", "")
    if wanted.isdecimal() and len(wanted) < 19:
        return [Choice(get_object_or_404(Customer, pk=int(wanted)).pk, "chosen", _("Chosen by you"))], True
    return choices_for(campaign, asked)


def _card(proof: Proof, *, is_dark: bool) -> dict[str, Any]:
    html = proof.shown.get("html", "")
    return {
        "proof": proof,
        "html": darken(html) if is_dark else html,
        "percent": f"{min(proof.share_of_limit, 1) * 100:.1f}",
        "decisions": [{**vars(one), "words": list(facts_in_words(one.facts))} for one in proof.decisions],
    }


def _check(request: HttpRequest, campaign: Campaign, made: list[Proof]) -> Any:
    if not request.user.has_perm("campaigns.change_campaign"):
        raise PermissionDenied
    found = addresses_of(made)
    audit(actor_name(request), "campaign.links_checked", f"campaign:{campaign.pk}", addresses=len(found))
    return check_addresses(found)


@staff_page("campaigns.view_campaign")
def compare(request: HttpRequest, campaign_id: int) -> HttpResponse:
    campaign = get_object_or_404(Campaign, pk=campaign_id)
    versions = diff.versions(campaign)
    keys = list(versions)
    older = request.GET.get("older", "") or next((k for k in keys if k.startswith("run:")), "")
    older = older if older in versions else (keys[-1] if keys else "")
    newer = request.GET.get("newer", "")
    newer = newer if newer in versions else (keys[0] if keys else "")
    before, after = diff.content_at(campaign, older), diff.content_at(campaign, newer)
    parts = diff.compare(before, after) if before is not None and after is not None else []
    context = {
        "campaign": campaign, "versions": versions, "older": older, "newer": newer, "parts": parts,
        "is_same": all(part.is_same for part in parts),
    }  # fmt: skip
    return render_page(request, "campaigns/compare.html", context, title=_("Compare versions"))
