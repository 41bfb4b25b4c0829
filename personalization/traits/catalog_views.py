"""The page of all traits, and the computing of one."""

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from personalization.access.jobs.shown import jobs_part, posted_job
from personalization.access.jobs.work import hand_over
from personalization.access.live.part import live_rows
from personalization.access.services import actor_name
from personalization.access.shell import render_page, staff_page
from personalization.access.time_left import time_left
from personalization.customers.declarations import Sensitivity, TraitDeclaration, ValueType
from personalization.customers.discovered import SAMPLE
from personalization.customers.reading import may_see
from personalization.privacy.told import told_words
from personalization.traits import services, tasks
from personalization.traits.catalog import COMPUTED, DECLARED, DISCOVERED, STANDARD, read_catalog
from personalization.traits.models import TraitDefinition
from personalization.traits.refreshing import under_way


@require_GET
@staff_page("customers.view_traitdeclaration")
def catalog(request: HttpRequest) -> HttpResponse:
    entries, whole = read_catalog(), may_see(request)
    types, sensitivities = dict(ValueType.choices), dict(Sensitivity.choices)
    numbers = dict(TraitDeclaration.objects.values_list("name", "pk"))
    definitions = {found.name: found for found in TraitDefinition.objects.defer("state")}
    groups = [
        {
            "origin": origin,
            "title": title,
            "rows": [
                {
                    "entry": entry,
                    "type": types.get(entry.value_type, entry.value_type),
                    "sensitivity": sensitivities.get(entry.sensitivity, ""),
                    "declaration": numbers.get(entry.name),
                    "definition": definitions.get(entry.name),
                    "customers": told_words(entry.customers, whole=whole),
                    "misfits": told_words(entry.misfits, whole=whole),
                }
                for entry in entries
                if entry.origin == origin
            ],
        }
        for origin, title in (
            (DECLARED, _("Declared")), (DISCOVERED, _("Discovered in what came in")),
            (COMPUTED, _("Computed from events")), (STANDARD, _("Standard")),
        )
    ]  # fmt: skip
    context = {"groups": groups, "sample": SAMPLE, **_part(request, under_way())}
    return render_page(request, "traits/catalog.html", context, title=_("Traits"))


@require_GET
@staff_page("customers.view_traitdeclaration")
def live(request: HttpRequest) -> HttpResponseBase:
    return live_rows(
        request, under_way(), key="refreshes", template="shell/jobs_live.html",
        context=lambda rows: _part(request, rows),
    )  # fmt: skip


@require_POST
@staff_page("traits.change_traitdefinition")
def act(request: HttpRequest) -> HttpResponse:
    """Computes a trait for everybody, or stops that."""
    definition, actor = posted_job(request, TraitDefinition.objects.all()), actor_name(request)
    if request.POST.get("action") == "cancel":
        services.stop_computing(definition, actor=actor)
        said = _("%(name)s is switched off; its values stay as they are.")
    else:
        with transaction.atomic():
            services.compute_anew(definition, actor=actor)
            hand_over(tasks.refresh_trait, definition.pk)
        said = _("%(name)s is computed for everybody now.")
    messages.info(request, said % {"name": definition.name})
    return redirect("traits:catalog")


def _part(request: HttpRequest, rows: Iterable[TraitDefinition]) -> dict[str, Any]:
    rows = list(rows)
    return jobs_part(
        rows, [row.name for row in rows], tell=_progress, live=reverse("traits:live"),
        act=reverse("traits:act"), may_cancel=request.user.has_perm("traits.change_traitdefinition"),
        cancel_label=_("Stop and switch off"),
    )  # fmt: skip


def _progress(row: TraitDefinition) -> dict[str, Any]:
    return {
        "share": row.share_done, "percent": f"{100 * row.share_done:.0f} %",
        "phase": _("Values are computed") if row.share_done else _("It is learned from all customers"),
        "left": time_left(row.started_at, row.share_done),
    }  # fmt: skip
