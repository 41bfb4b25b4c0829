"""The segment builder page and what it asks while one edits."""

import json
from dataclasses import asdict
from typing import Any, cast

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from personalization.access.models import User
from personalization.access.problems import ProblemError, problem_response
from personalization.access.shell import render_page, staff_page
from personalization.customers.reading import may_see, show
from personalization.language_model.calls import endpoint_in_use
from personalization.privacy.told import step_for, told_count
from personalization.segments import explain, previews, selectors, services
from personalization.segments.definition import DefinitionError
from personalization.segments.describe import describe
from personalization.segments.errors import InvalidDefinition
from personalization.segments.floors import told_steps
from personalization.segments.models import Segment, SegmentVersion
from personalization.segments.vocabulary import vocabulary

COUNT_SECONDS = 8.0
MAX_BODY = 200_000
NEW: dict[str, Any] = {"all": []}


@staff_page("segments.view_segment")
def builder(request: HttpRequest, segment_id: int | None = None) -> HttpResponse:
    """A new segment, or an existing one with its versions."""
    segment = get_object_or_404(Segment, pk=segment_id) if segment_id else None
    if segment is None and not request.user.has_perm("segments.add_segment"):
        raise PermissionDenied
    versions = list(segment.versions.select_related("created_by")) if segment else []
    permission = "segments.change_segment" if segment else "segments.add_segment"
    page: dict[str, Any] = {
        "definition": versions[0].definition if versions else NEW,
        "name": segment.name if segment else "",
        "description": segment.description if segment else "",
        "canSave": request.user.has_perm(permission),
        "urls": {
            "count": reverse("segments:count"),
            "words": reverse("segments:from-words") if endpoint_in_use() else "",
            "narrow": reverse("segments:narrow"),
            "save": reverse("segments:save", args=[segment.pk]) if segment else reverse("segments:create"),
        },
        "vocabulary": vocabulary(exclude=segment, now=timezone.now()),
    }
    return render_page(
        request,
        "segments/builder.html",
        {
            "segment": segment,
            "versions": [{"version": v, "sentence": sentence_of(v)} for v in versions],
            "page_data": page,
            "can_save": page["canSave"],
        },
        title=segment.name if segment else _("New segment"),
    )


def sentence_of(version: SegmentVersion) -> str:
    try:
        return describe(version.definition)
    except DefinitionError:
        return _("This version cannot be read any more.")


@require_POST
@staff_page("segments.view_segment")
def count(request: HttpRequest) -> HttpResponse:
    """How many match a definition being edited, a few of them, and the definition in words.

    An estimate where counting takes longer; then `exact` in a second call asks for the number itself.
    """
    try:
        body = read_body(request)
        return JsonResponse(_counted(request, body.get("definition"), exact=body.get("exact") is True))
    except DefinitionError as error:
        return refused(InvalidDefinition.of(error, prefix="/definition"))
    except ProblemError as error:
        return refused(error)


@require_POST
@staff_page("segments.view_segment")
def narrow(request: HttpRequest) -> HttpResponse:
    """How each clause of a definition being edited narrows."""
    try:
        definition = read_body(request).get("definition")
        with selectors.time_limit(COUNT_SECONDS):
            steps = explain.funnel(definition, now=timezone.now())
    except DefinitionError as error:
        return refused(InvalidDefinition.of(error, prefix="/definition"))
    except ProblemError as error:
        return refused(error)
    told = [asdict(step) for step in told_steps(request, steps)]
    return JsonResponse(
        {
            "steps": told,
            "total": told_count(request, selectors.customer_total()),
            "fewer_than": step_for(request),
        }
    )


def _counted(request: HttpRequest, definition: object, *, exact: bool) -> dict[str, Any]:
    now = timezone.now()
    if exact:
        with selectors.time_limit(COUNT_SECONDS):
            found = previews.preview(definition, now=now)
    else:
        found = previews.quick_preview(definition, now=now)
    number = told_count(request, found.count)
    total = max(told_count(request, selectors.customer_total()), number)
    may_open = request.user.has_perm("customers.view_customer")
    return {
        "count": number,
        "fewer_than": step_for(request),
        "margin": found.margin,
        "total": total,
        "share": number / total if total else None,
        "sentence": describe(definition),
        "sample": [
            {
                "id": customer.pk,
                "name": str(customer) if may_open else _("Customer %(id)s") % {"id": customer.pk},
                "detail": " · ".join(
                    part for part in (customer.city, customer.country, customer.language) if part
                ),
                "url": reverse("customers:profile", args=[customer.pk]) if may_open else "",
            }
            # Of five people each single one would be told about, masked or not.
            for customer in (show(request, found.some, page="segment sample") if may_see(request) else [])
        ],
    }


@require_POST
@staff_page("segments.view_segment")
def save(request: HttpRequest, segment_id: int | None = None) -> HttpResponse:
    segment = get_object_or_404(Segment, pk=segment_id) if segment_id else None
    if not request.user.has_perm("segments.change_segment" if segment else "segments.add_segment"):
        raise PermissionDenied
    try:
        body = read_body(request)
        version = services.save_segment(
            segment,
            name=body.get("name", ""),
            description=str(body.get("description", ""))[:2000],
            definition=body.get("definition"),
            actor_user=cast(User, request.user),
        )
    except ProblemError as error:
        return refused(error)
    return JsonResponse(
        {"url": reverse("segments:edit", args=[version.segment_id]), "version": version.number}
    )


@require_POST
@staff_page("segments.change_segment")
def restore(request: HttpRequest, segment_id: int, number: int) -> HttpResponse:
    """Makes an older definition the newest version; nothing is removed."""
    version = get_object_or_404(
        SegmentVersion.objects.select_related("segment"), segment=segment_id, number=number
    )
    segment = version.segment
    services.save_segment(
        segment, name=segment.name, description=segment.description, definition=version.definition,
        actor_user=cast(User, request.user),
    )  # fmt: skip
    return redirect("segments:edit", segment_id)


def read_body(request: HttpRequest) -> dict[str, Any]:
    try:
        body = json.loads(request.body) if len(request.body) <= MAX_BODY else None
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise ProblemError(_("Send one JSON object of at most 200 kB."))
    return body


def refused(error: ProblemError) -> HttpResponse:
    return problem_response(
        status=error.status, slug=error.slug, title=error.title, detail=error.detail, errors=error.errors
    )
