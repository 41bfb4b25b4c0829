"""Staff pages: placements with their offers, an offer, its content as any customer would see it."""

from contextlib import suppress
from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from campaigns.editor.examples import example_context
from campaigns.item_choice import ItemChoice
from campaigns.onsite import services
from campaigns.onsite.forms import ContentForms, OfferForm, PlacementForm, draft_of
from campaigns.onsite.models import Offer, OfferStatus, Order, Placement
from campaigns.onsite.next_best import Ranked, gain_of, rank
from experiments.models import ClientKey
from personalization.access.models import User
from personalization.access.problems import ProblemError
from personalization.access.services import actor_name
from personalization.access.shell import render_page, staff_page
from personalization.content.errors import RenderError, TemplateError
from personalization.content.fragments import check_fragment, compile_fragment
from personalization.customers import selectors as customers

NEW_BODY = "<p>{% if customer.first_name %}{{ customer.first_name }}, for{% else %}For{% endif %} you:</p>\n"


@staff_page("onsite.view_placement")
def placements(request: HttpRequest) -> HttpResponse:
    offers = Prefetch("offers", Offer.objects.select_related("segment", "experiment"))
    key = ClientKey.objects.filter(revoked_at=None).order_by("pk").first()
    found = Placement.objects.filter(archived_at=None).select_related("metric").prefetch_related(offers)
    return render_page(
        request,
        "onsite/placements.html",
        {
            "placements": [(one, _offers(one)) for one in found],
            "can_change": request.user.has_perm("onsite.change_offer"),
            "host": settings.SITE_URL,
            "client_key": key.key if key else "",
        },
        title=_("On the page"),
    )


@require_http_methods(["GET", "POST"])
@staff_page("onsite.change_placement")
def placement(request: HttpRequest, key: str = "") -> HttpResponse:
    shown = get_object_or_404(Placement, key=key) if key else None
    form = PlacementForm(request.POST or None, instance=shown)
    status = 200
    if request.method == "POST":
        if form.is_valid():
            asked = form.cleaned_data
            try:
                services.save_placement(shown, **asked, actor=actor_name(request))
                return redirect("onsite:list")
            except ProblemError as error:
                _put_errors(error, form)
        status = 422
    title = shown.name if shown else _("New placement")
    return render_page(request, "onsite/placement.html", {"form": form}, title=title, status=status)


@require_http_methods(["GET", "POST"])
@staff_page("onsite.change_offer")
def offer(request: HttpRequest, offer_id: int | None = None) -> HttpResponse:
    shown = get_object_or_404(Offer, pk=offer_id) if offer_id else None
    start = {"placement": Placement.objects.filter(key=request.GET.get("placement", "")).first()}
    form = OfferForm(request.POST or None, instance=shown, initial=start)
    contents = ContentForms(request.POST or None, initial=_contents(shown), prefix="contents")
    status = 200
    if request.method == "POST":
        if form.is_valid() and contents.is_valid():
            try:
                by, actor = cast(User, request.user), actor_name(request)
                saved = services.save_offer(shown, draft_of(form, contents), by=by, actor=actor)
                messages.success(request, _("The offer is saved."))
                return redirect("onsite:offer", saved.pk)
            except ProblemError as error:
                _put_errors(error, form, contents)
        status = 422
    return render_page(
        request,
        "onsite/offer.html",
        {"form": form, "contents": contents, "offer": shown, "is_open": _is_open(shown)},
        title=shown.name if shown else _("New offer"),
        status=status,
    )


@require_POST
@staff_page("onsite.change_offer")
def steer(request: HttpRequest, offer_id: int, action: str) -> HttpResponse:
    shown, actor = get_object_or_404(Offer, pk=offer_id), actor_name(request)
    try:
        if action == "start":
            services.start_offer(shown, at=timezone.now(), actor=actor)
        elif action == "pause":
            services.pause_offer(shown, actor=actor)
        else:
            services.end_offer(shown, at=timezone.now(), actor=actor)
    except ProblemError as error:
        messages.error(request, error.detail)
    return redirect("onsite:offer", offer_id)


@require_POST
@staff_page("customers.view_customer")
def preview(request: HttpRequest) -> HttpResponse:
    """The content in `body` as the customer with the id `customer` would see it; else an unknown visitor."""
    body, wanted = request.POST.get("body", ""), request.POST.get("customer", "").strip()
    person = customers.find(wanted) if wanted else None
    count = request.POST.get("item_count", "")
    choice = ItemChoice(count=max(1, min(int(count), 50))) if count.isdigit() else ItemChoice()
    context = example_context(person, campaign="", choice=choice) | {"context": {}}
    problems, html = check_fragment(body, context=context), ""
    with suppress(TemplateError, RenderError):  # told among the problems
        html = compile_fragment(body).render(context)
    return render(
        request,
        "onsite/preview.html",
        {"html": html, "problems": problems, "person": person, "is_missing": bool(wanted) and person is None},
    )


def _offers(placement: Placement) -> list[tuple[Offer, Ranked | None]]:
    """With what each live one earns, where that decides."""
    offers = list(placement.offers.all())
    live = {one.pk: gain_of(one) for one in offers if one.status == OfferStatus.LIVE}
    if placement.order != Order.INCREMENTAL or not live:
        return [(one, None) for one in offers]
    ranking = {one.offer_id: one for one in rank(live, seed="", person="")[2]}
    return [(one, ranking.get(one.pk)) for one in offers]


def _contents(shown: Offer | None) -> list[dict[str, Any]]:
    if shown is None:
        return [{"key": "a", "name": "", "weight": 1.0, "item_count": 4, "body": NEW_BODY}]
    fields = ("key", "name", "weight", "item_count", "body", "rules")
    return list(shown.contents.order_by("position").values(*fields))


def _is_open(shown: Offer | None) -> bool:
    return shown is None or shown.status in (OfferStatus.DRAFT, OfferStatus.PAUSED)


def _put_errors(error: ProblemError, form: Any, contents: Any = None) -> None:
    """Each problem beside its field, the rest above all."""
    if not error.errors:
        form.add_error(None, error.detail)
    for one in error.errors:
        first, *rest = one["pointer"].strip("/").split("/")
        if first == "contents" and contents is not None and len(rest) == 2:
            contents.forms[int(rest[0])].add_error(rest[1], one["detail"])
        else:
            form.add_error(first if first in form.fields else None, one["detail"])
