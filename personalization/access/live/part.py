"""The part of a page that tells how far jobs are: as it becomes, or once for who asks."""

import json
from collections.abc import Callable, Hashable, Mapping
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
    """Of one job. The page is loaded anew once it has ended. Raises Http404."""
    row = get_object_or_404(rows, pk=pk)

    def read() -> Reading:
        found = rows.filter(pk=pk).first()
        if found is None:
            raise LookupError(pk)
        return Reading(found)

    return _answer(
        request, Reading(row), (rows.model._meta.label, pk), read, template=template,
        context=lambda reading: context(reading.row), is_over=lambda reading: not is_active(reading.row),
    )  # fmt: skip


def live_rows(
    request: HttpRequest,
    rows: QuerySet[Row],
    *,
    key: Hashable,
    template: str,
    context: Callable[[list[Row]], Mapping[str, Any]],
) -> HttpResponseBase:
    """Of all in `rows`, which are those under way. The page is loaded anew once one of them has ended; which
    it knew it says as `known`."""
    known = {int(part) for part in request.GET.get("known", "").split(",") if part.isdecimal()}

    def read() -> list[Reading]:
        return [Reading(row) for row in rows.all()]

    def is_over(readings: list[Reading]) -> bool:
        now = {reading.row.pk for reading in readings}
        is_one_gone = bool(known - now)
        known.update(now)
        return is_one_gone or not now

    return _answer(
        request, read(), (rows.model._meta.label, key), read, template=template,
        context=lambda readings: context([reading.row for reading in readings]), is_over=is_over,
    )  # fmt: skip


def _answer(
    request: HttpRequest,
    now: Any,
    key: Hashable,
    read: Callable[[], Any],
    *,
    template: str,
    context: Callable[[Any], Mapping[str, Any]],
    is_over: Callable[[Any], bool],
) -> HttpResponseBase:
    if not wants_stream(request):
        response = render(request, template, context(now))
        if is_over(now):
            response["HX-Refresh"] = "true"
        return response
    language, zone = translation.get_language() or "en", timezone.get_current_timezone()

    def say(reading: Any) -> tuple[str, bool]:
        with translation.override(language), timezone.override(zone):
            html = render_to_string(template, context(reading), request=request)
        is_last = is_over(reading)
        return json.dumps({"html": html, "reload": is_last}), is_last

    return stream(request, key, read, say)
