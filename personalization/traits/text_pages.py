"""Staff pages of free texts: which are declared, and what each tells."""

from typing import Any

from babel import Locale
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import get_language, to_locale
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from personalization.access.problems import ProblemError
from personalization.access.services import actor_name
from personalization.access.shell import render_page, staff_page
from personalization.customers.reading import may_see, note_read
from personalization.privacy.floor import smallest_cell
from personalization.traits import text_services
from personalization.traits.models import TextSource
from personalization.traits.registry import trait_kinds
from personalization.traits.text_selectors import Told, read_report
from personalization.traits.texts.sentiment import NEGATIVE, NEUTRAL, POSITIVE

FIELDS = ("name", "event", "property", "rating_property", "rating_best")


@require_http_methods(["GET", "POST"])
@staff_page("traits.view_traitdefinition")
def sources(request: HttpRequest) -> HttpResponse:
    """All of them; a POST declares one more. What was typed stays in the form."""
    may_add = request.user.has_perm("traits.add_traitdefinition")
    typed = {name: request.POST.get(name, "")[:200] for name in FIELDS}
    wrong: dict[str, str] = {}
    if request.method == "POST":
        if not may_add:
            raise PermissionDenied
        best = typed["rating_best"].strip()
        source = TextSource(
            **{**typed, "rating_best": int(best) if best.isascii() and best.isdecimal() else 0}
        )
        try:
            text_services.declare_source(source, actor=actor_name(request))
        except ProblemError as error:
            wrong = {one["pointer"].strip("/"): one["detail"] for one in error.errors}
        else:
            messages.success(request, _("Declared. The first values come within a minute or two."))
            return redirect("traits:text-source", source.name)
    found = TextSource.objects.prefetch_related("definitions")
    context = {"sources": found, "may_add": may_add, "typed": typed, "wrong": wrong}
    status = 400 if wrong else 200
    return render_page(request, "traits/texts.html", context, title=_("Free texts"), status=status)


@require_GET
@staff_page("traits.view_traitdefinition")
def show(request: HttpRequest, name: str) -> HttpResponse:
    """Sentences only for who may see personal data; that they were read is noted."""
    source = get_object_or_404(TextSource, name=name)
    whole = may_see(request)
    report = read_report(source, with_examples=whole)
    note_read(request, report.people, page="texts")
    context = {
        "source": source, "told": [_row(one) for one in report.told],
        "floor": smallest_cell(), "whole": whole,
        "may_change": request.user.has_perm("traits.change_traitdefinition"),
    }  # fmt: skip
    return render_page(request, "traits/text_source.html", context, title=source.name)


@require_POST
@staff_page("traits.change_traitdefinition")
def act(request: HttpRequest, name: str) -> HttpResponse:
    """Learn anew or remove."""
    source = get_object_or_404(TextSource, name=name)
    if request.POST.get("action") == "remove":
        text_services.remove_source(source, actor=actor_name(request))
        messages.success(request, _("Removed, with everything that was told from these texts."))
        return redirect("traits:texts")
    text_services.learn_anew(source, actor=actor_name(request))
    messages.success(request, _("It learns from the newest texts within a minute."))
    return redirect("traits:text-source", name)


def name_language(code: str) -> str:
    """As the reader calls it; a code that CLDR does not know stays as it is."""
    names = Locale.parse(to_locale(get_language() or "en")).languages
    return str(names.get(code.replace("-", "_"), code))


def _row(told: Told) -> dict[str, Any]:
    held = told.held_out
    labels = {}
    if told.kind == "text_sentiment":
        labels = {POSITIVE: _("praise"), NEUTRAL: _("neutral"), NEGATIVE: _("complaint")}
    elif told.kind == "text_language":
        labels = {cell.value: name_language(cell.value) for cell in told.cells}
    return {
        "told": told, "label": trait_kinds()[told.kind].label, "is_topic": told.kind == "text_topic",
        "cells": [
            {"cell": cell, "label": labels.get(cell.value, cell.value)} for cell in told.cells
        ],
        "held": held and {
            **held, "right": f"{100 * held['right']:.0f} %",
            "without": f"{100 * held['right_without']:.0f} %",
        },
        "tried": sorted((int(k), value) for k, value in told.stability.items()),
    }  # fmt: skip
