"""Trying models on one customer: the history, and what each model would recommend now."""

import secrets
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from personalization.access.shell import render_page, staff_page
from personalization.catalog.selectors import items as catalog_items
from personalization.catalog.selectors import localized
from personalization.customers import reading
from personalization.customers.models import Customer
from personalization.customers.search import search
from personalization.events.models import Event
from recommender import selectors
from recommender.algorithms import ArtifactError, MissingExtraError, UnknownAlgorithmError
from recommender.models import ModelRun, RunStatus
from recommender.pages import wording
from recommender.pages.models import has_file, unusable
from recommender.ranking.rules import ALLOW, EXCLUDE, ONLY, Rules, RulesError
from recommender.serving import serve_run

LIST_LENGTH = 8
HISTORY_LENGTH = 12
MAX_FOUND = 8
MAX_COLUMNS = 24
RULES = ("bought", "max_per_category", "price_min", "price_max", "categories")


@require_GET
@staff_page("recommender.view_modelrun")
def trial(request: HttpRequest) -> HttpResponse:
    _check_customers(request)
    wanted = request.GET.get("customer", "")
    if wanted == "any":
        return _to_anybody(request)
    customer = get_object_or_404(Customer, pk=int(wanted)) if wanted.isdigit() else None
    if customer is not None:
        reading.show_one(request, customer, page="recommender trial")
    errors: list[str] = []
    try:
        _rules(request)
    except RulesError as error:
        errors = [one["detail"] for one in error.errors]
    query = _query(request, customer)
    return render_page(
        request,
        "recommender/trial.html",
        {
            "customer": customer,
            "history": _history(request, customer) if customer else [],
            "may_see_events": request.user.has_perm("events.view_event"),
            "columns": [] if errors or customer is None else _columns(),
            "has_models": ModelRun.objects.filter(status=RunStatus.DONE).exclude(artifact="").exists(),
            "errors": errors,
            "query": query,
            "choices": [
                (EXCLUDE, _("Leave out what was bought")),
                (ALLOW, _("Also what was bought")),
                (ONLY, _("Only what was bought")),
            ],
            "rules": {name: request.GET.get(name, "") for name in RULES},
        },
        title=_("Try it on a customer"),
    )


@require_POST
@staff_page("recommender.view_modelrun")
def find(request: HttpRequest) -> HttpResponse:
    """Customers whose name, address or id begins with the words, as links."""
    _check_customers(request)
    words = request.POST.get("q", "").strip()[:100]
    # Who may not see names may not find out by searching for them.
    found = search(words, limit=MAX_FOUND) if words and reading.may_see(request) else []
    context = {"found": reading.show(request, found, page="recommender trial"), "words": words}
    return render(request, "recommender/trial_found.html", context)


@require_GET
@staff_page("recommender.view_modelrun")
def column(request: HttpRequest, run_id: int, customer_id: int) -> HttpResponse:
    """One model's list for one customer, with the reason of each item."""
    _check_customers(request)
    run = get_object_or_404(ModelRun, pk=run_id, status=RunStatus.DONE)
    get_object_or_404(Customer, pk=customer_id)
    context: dict[str, Any] = {"run": run}
    try:
        served = serve_run(run)
        picks = selectors.recommend_with(served, [customer_id], k=LIST_LENGTH, rules=_rules(request))
        context["entries"] = _entries(picks[customer_id])
        of_many = (selectors.POPULAR, selectors.SIMILAR)
        personal = [one for one in picks[customer_id] if one.reason_kind not in of_many]
        context["is_filled"] = bool(context["entries"]) and not personal and served.model.needs_history
    except (ArtifactError, MissingExtraError, UnknownAlgorithmError) as error:
        context["problem"] = unusable(error)
    except RulesError as error:
        context["problem"] = " ".join(one["detail"] for one in error.errors)
    except MemoryError:
        context["problem"] = _("There is not enough memory free to load this model.")
    return render(request, "recommender/trial_column.html", context)


def _check_customers(request: HttpRequest) -> None:
    if not request.user.has_perm("customers.view_customer"):
        raise PermissionDenied


def _to_anybody(request: HttpRequest) -> HttpResponse:
    """Somebody at random who did something with an item; without such, somebody."""
    newest = Customer.objects.order_by("-pk").values_list("pk", flat=True).first()
    if newest is None:
        return redirect("recommender:try")
    # A random place in the ids, not ORDER BY random(): that would sort the whole table at every click.
    start = secrets.randbelow(newest) + 1
    active = Customer.objects.filter(
        Exists(Event.objects.filter(customer=OuterRef("pk"), item__isnull=False))
    )
    found = active.filter(pk__gte=start).order_by("pk").first() or active.order_by("pk").first()
    customer = found or Customer.objects.order_by("pk").first()
    return redirect(f"{reverse('recommender:try')}?{_query(request, customer)}")


def _query(request: HttpRequest, customer: Customer | None) -> str:
    """The address of the same rules for this customer."""
    query = request.GET.copy()
    for name in list(query):
        if name not in RULES or not query[name]:
            del query[name]
    if customer is not None:
        query["customer"] = str(customer.pk)
    return query.urlencode()


def _rules(request: HttpRequest) -> Rules:
    """Raises RulesError."""
    given = {name: request.GET[name].strip() for name in RULES if request.GET.get(name, "").strip()}
    raw: dict[str, Any] = dict(given)
    if "categories" in given:
        raw["categories"] = [part.strip() for part in given["categories"].split(",") if part.strip()]
    if given.get("max_per_category", "").isdigit():
        raw["max_per_category"] = int(given["max_per_category"])
    return Rules.from_json(raw)


def _columns() -> list[dict[str, Any]]:
    """The latest finished model of each algorithm and use, the champions first."""
    finished = ModelRun.objects.filter(status=RunStatus.DONE).exclude(artifact="").defer("item_ids")
    latest = finished.order_by("algorithm", "repeats", "-created_at").distinct("algorithm", "repeats")
    runs = {run.pk: run for run in [*finished.filter(is_champion=True), *latest]}
    ranked = sorted(runs.values(), key=lambda run: (not run.is_champion, run.repeats, -_merit(run)))
    return [
        {
            "run": run,
            "title": wording.run_title(run),
            "metric": wording.metric_title(run.metric),
            "figure": wording.figure(run.metrics.get("own", {}).get(run.metric)),
            "has_file": has_file(run),
        }
        for run in ranked[:MAX_COLUMNS]
    ]


def _merit(run: ModelRun) -> float:
    return float((run.metrics.get("own", {}).get(run.metric) or {}).get("value", 0.0))


def _history(request: HttpRequest, customer: Customer) -> list[dict[str, Any]]:
    """The latest events on items, newest first; empty for those who may not see events."""
    if not request.user.has_perm("events.view_event"):
        return []
    events = Event.objects.filter(customer=customer, item__isnull=False).order_by("-occurred_at")
    rows = list(events.values("name", "item_id", "occurred_at")[:HISTORY_LENGTH])
    items = _items({row["item_id"] for row in rows})
    return [
        {"event": wording.event_title(row["name"]), "at": row["occurred_at"], "item": items[row["item_id"]]}
        for row in rows
        if row["item_id"] in items
    ]


def _items(ids: set[int]) -> dict[int, dict[str, Any]]:
    language = get_language() or "en"
    return {pk: localized(item, language) for pk, item in catalog_items(ids).items()}


def _entries(picks: list[selectors.Recommendation]) -> list[dict[str, Any]]:
    wanted = {pk for pick in picks for pk in (pick.item_id, pick.reason_item_id) if pk is not None}
    items = _items(wanted)
    return [
        {
            "item": items[pick.item_id],
            "reason": wording.reason(pick.reason_kind, items.get(pick.reason_item_id or 0)),
            "kind": pick.reason_kind,
        }
        for pick in picks
        if pick.item_id in items
    ]
