"""The part of a page that tells how far a job is: as it becomes, or once for who asks."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.utils import timezone, translation

from personalization.access.live.stream import stream, wants_stream

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, repr=False)
class Reading:
    """A row that is another one once any of its columns has changed: a model's own repr is its name."""

    row: Any

    def __repr__(self) -> str:
        return repr({name: value for name, value in vars(self.row).items() if name != "_state"})


def live_part(
    request: HttpRequest,
    rows: QuerySet[Row],
    pk: int,
    *,
    template: str,
    context: Callable[[Row], Mapping[str, Any]],
    is_active: Callable[[Row], bool],
) -> HttpResponseBase:
    """The page is loaded anew once the job has ended. Raises Http404."""
    row = get_object_or_404(rows, pk=pk)
    if not wants_stream(request):
        response = render(request, template, context(row))
        if not is_active(row):
            response["HX-Refresh"] = "true"
        return response
    language, zone = translation.get_language() or "en", timezone.get_current_timezone()

    def read() -> Reading:
        found = rows.filter(pk=pk).first()
        if found is None:
            raise LookupError(pk)
        return Reading(found)

    def say(reading: Reading) -> tuple[str, bool]:
        with translation.override(language), timezone.override(zone):
            html = render_to_string(template, context(reading.row), request=request)
        goes_on = is_active(reading.row)
        return json.dumps({"html": html, "reload": not goes_on}), not goes_on

    return stream(request, (rows.model._meta.label, pk), read, say)
