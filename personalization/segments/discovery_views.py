"""Staff pages of found segments: what a machine can find, how far it is, what it found, and one click."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from personalization.access.live.part import live_part
from personalization.access.problems import ProblemError
from personalization.access.services import actor_name
from personalization.access.shell import render_page, staff_page
from personalization.access.time_left import time_left
from personalization.customers.reading import may_see
from personalization.privacy.told import told_words
from personalization.segments import tasks
from personalization.segments.discovery import services
from personalization.segments.discovery.naming import column_name, difference_in_words, group_name
from personalization.segments.discovery.ready import ready_segments
from personalization.segments.models import Discovery, DiscoveryKind, Segment, SegmentVersion
from personalization.segments.services import save_segment

TOPS = (1, 2, 5, 10, 20)


@require_http_methods(["GET", "POST"])
@staff_page("segments.view_segment")
def discoveries(request: HttpRequest) -> HttpResponse:
    """All of them, and what computed traits offer; a POST asks for a new one."""
    may_add = request.user.has_perm("segments.add_segment")
    if request.method == "POST":
        if not may_add:
            raise PermissionDenied
        try:
            discovery = _create(request)
        except ProblemError as error:
            messages.error(request, error.detail)
            return redirect("segments:discoveries")
        return redirect("segments:discovery", discovery.pk)
    context = {
        "discoveries": Discovery.objects.select_related("seed"), "kinds": DiscoveryKind.choices,
        "segments": Segment.objects.filter(archived_at=None).annotate(n=Count("versions")).filter(n__gt=0),
        "ready": ready_segments(), "may_add": may_add,
    }  # fmt: skip
    return render_page(request, "segments/discoveries.html", context, title=_("Found segments"))


def _create(request: HttpRequest) -> Discovery:
    seed, days = request.POST.get("seed", ""), request.POST.get("every_days", "")
    kind = request.POST.get("kind", "")
    looked_up = Segment.objects.filter(pk=int(seed)).first() if seed.isdecimal() else None
    discovery = services.create_discovery(
        name=request.POST.get("name", ""), kind=kind,
        seed=looked_up if kind == DiscoveryKind.LOOKALIKES else None,
        purchase_event=request.POST.get("purchase_event", ""),
        every_days=int(days) if days.isdecimal() else -1, actor=actor_name(request),
    )  # fmt: skip
    tasks.run_discovery.delay(discovery.pk)
    return discovery


@require_GET
@staff_page("segments.view_segment")
def show(request: HttpRequest, pk: int) -> HttpResponse:
    discovery = get_object_or_404(Discovery.objects.select_related("seed"), pk=pk)
    return render_page(request, "segments/discovery.html", _context(request, discovery), title=discovery.name)


@require_GET
@staff_page("segments.view_segment")
def live(request: HttpRequest, pk: int) -> HttpResponseBase:
    return live_part(
        request,
        Discovery.objects.select_related("seed"),
        pk,
        template="segments/discovery_live.html",
        context=lambda discovery: _context(request, discovery),
        is_active=lambda discovery: discovery.is_active,
    )


@require_POST
@staff_page("segments.add_segment")
def act(request: HttpRequest, pk: int) -> HttpResponse:
    """Cancel, find anew, remove, or make a segment of a group or of the most alike."""
    discovery = get_object_or_404(Discovery, pk=pk)
    action, actor = request.POST.get("action", ""), actor_name(request)
    try:
        if action == "cancel":
            services.cancel(discovery, actor=actor)
        elif action == "run":
            services.rerun(discovery, actor=actor)
            tasks.run_discovery.delay(pk)
        elif action == "remove":
            services.remove(discovery, actor=actor)
            return redirect("segments:discoveries")
        elif action == "segment":
            percent = request.POST.get("top_percent", "")
            version = services.make_segment(
                discovery, letter=request.POST.get("group", ""),
                top_percent=int(percent) if percent.isdecimal() else 0, actor=actor,
            )  # fmt: skip
            return _to(version)
    except ProblemError as error:
        messages.error(request, error.detail)
    return redirect("segments:discovery", pk)


@require_POST
@staff_page("segments.add_segment")
def make_ready(request: HttpRequest) -> HttpResponse:
    """Saves one of the offered segments."""
    wanted = next((one for one in ready_segments() if one.key == request.POST.get("key")), None)
    if wanted is None:
        messages.error(request, _("This segment is no longer offered."))
        return redirect("segments:discoveries")
    name = services.free_name(wanted.name)
    return _to(save_segment(None, name=name, definition=wanted.definition, actor=actor_name(request)))


def _to(version: SegmentVersion) -> HttpResponse:
    return redirect("segments:edit", version.segment_id)


def _context(request: HttpRequest, discovery: Discovery) -> dict[str, Any]:
    result = discovery.result
    most = max((abs(weight) for _name, weight in result.get("reasons", [])), default=1) or 1
    return {
        "discovery": discovery, "may_add": request.user.has_perm("segments.add_segment"), "tops": TOPS,
        "percent": f"{100 * discovery.share_done:.0f} %",
        "left": time_left(discovery.started_at, discovery.share_done) if discovery.is_active else "",
        "groups": [
            {
                **group, "name": group_name(group),
                "told": told_words(group["customers"], whole=may_see(request)),
                "width": f"{100 * group['share']:.1f}%",
                "apart": [(difference_in_words(column, by), f"{by:+.1f}") for column, by in group["apart"]],
            }
            for group in result.get("groups", [])
        ],
        "tried": result.get("tried", []), "area": result.get("area"), "lift": result.get("lift"),
        "reasons": [
            {"name": column_name(name), "more": weight > 0, "width": f"{100 * abs(weight) / most:.0f}%"}
            for name, weight in result.get("reasons", [])
        ],
    }  # fmt: skip
