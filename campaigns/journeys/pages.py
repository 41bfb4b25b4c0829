"""Journeys in the shell: the list, the picture with who is where, and steering."""

import json
from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from campaigns.journeys import editing, entries, nodes, services
from campaigns.journeys.drafts import ways_to_step
from campaigns.journeys.drawing import draw
from campaigns.journeys.graph import Graph, GraphError
from campaigns.journeys.panel import panel_of, stuck_at
from campaigns.journeys.selectors import NOT_YET, recent_counts, told_journey
from campaigns.journeys.templates import TEMPLATES, create_from_template
from campaigns.journeys.versions import check, graph_of, read
from campaigns.models import Journey, JourneyStatus
from personalization.access.live.stream import stream, wants_stream
from personalization.access.models import User
from personalization.access.problems import ProblemError
from personalization.access.services import actor_name
from personalization.access.shell import render_page, staff_page
from personalization.customers.reading import may_see
from personalization.privacy.told import step_for

# Which step is looked at knows the page alone: a stream tells only that people have moved.
MOVED = json.dumps({"html": '<span id="jn-live" hidden></span>', "reload": False})


@staff_page("campaigns.view_journey")
def journey_list(request: HttpRequest) -> HttpResponse:
    counted = [(row, _counts(request, row)) for row in Journey.objects.order_by("-created_at")[:100]]
    return render_page(
        request,
        "journeys/list.html",
        {
            "rows": [{"journey": row, "counts": counts or NOT_YET} for row, counts in counted],
            "fewer_than": step_for(request),
            "is_counting": any(counts is None for _row, counts in counted),
            "templates": TEMPLATES.items(),
            "can_add": request.user.has_perm("campaigns.add_journey"),
        },
        title=_("Journeys"),
    )


def _counts(request: HttpRequest, found: Journey) -> dict[str, Any] | None:
    counts = recent_counts(found)
    return None if counts is None else told_journey(counts, whole=may_see(request))


@require_POST
@staff_page("campaigns.add_journey")
def create(request: HttpRequest) -> HttpResponse:
    """A new draft, blank or from a template."""
    key = request.POST.get("template", "")
    user = cast(User, request.user)
    if key in TEMPLATES:
        journey = create_from_template(key, actor=actor_name(request), created_by=user)
    else:
        journey = services.save_journey(
            None, name=_("New journey"), graph=editing.blank(), actor=actor_name(request), created_by=user
        )
    return redirect("journeys:journey", journey_id=journey.pk)


@staff_page("campaigns.view_journey")
def journey(request: HttpRequest, journey_id: int) -> HttpResponse:
    found = get_object_or_404(Journey, pk=journey_id)
    published = found.versions.order_by("-number").first()
    wants_published = published is not None and request.GET.get("show") == "published"
    graph: Graph | None
    problems = _problems(found)
    try:
        graph = graph_of(published) if wants_published and published else read(found.draft)
    except GraphError:
        graph = None
    counts = _counts(request, found)
    chosen = request.GET.get("node", "")
    context: dict[str, Any] = {
        "journey": found,
        "published": published,
        "wants_published": wants_published,
        "is_newer": published is not None and _bare(published.graph) != _bare(found.draft),
        "counts": counts or NOT_YET,
        "is_counting": counts is None,
        "fewer_than": step_for(request),
        "drawing": draw(graph, counts, problems) if graph else None,
        "problems": [{**one, "node": _node_of(one)} for one in problems],
        **ways_to_step(found),
        "chosen": chosen,
        "can_edit": _can_edit(request, found) and not wants_published,
        "can_launch": request.user.has_perm("campaigns.launch_campaign"),
        "can_end": published is not None and request.user.has_perm("campaigns.change_journey"),
        "statuses": JourneyStatus,
        "entry_kinds": [(kind, entries.get(kind).label) for kind in entries.kinds()],
        "node_kinds": [(kind, nodes.get(kind).label, nodes.get(kind).icon) for kind in nodes.kinds()],
    }
    if graph is not None:
        context["stuck"] = stuck_at(graph, counts or NOT_YET)
        context.update(panel_of(request, found, graph, chosen=chosen, problems=problems))
    return render_page(request, "journeys/journey.html", context, title=found.name)


def _problems(found: Journey) -> list[dict[str, str]]:
    try:
        check(found.draft)
    except ProblemError as error:
        return [dict(one) for one in error.errors]
    return []


def _can_edit(request: HttpRequest, found: Journey) -> bool:
    return request.user.has_perm("campaigns.change_journey") and found.status != JourneyStatus.ENDED


def _node_of(problem: dict[str, str]) -> str:
    """The step in which it is wrong; empty for the entry and the whole."""
    parts = problem["pointer"].split("/")
    return parts[2] if parts[1:2] == ["nodes"] and len(parts) > 2 else ""


def _bare(graph: dict[str, Any]) -> Any:
    """Without the numbers of experiments, which publishing adds."""
    bare = {
        key: {**node, "params": {k: v for k, v in (node.get("params") or {}).items() if k != "experiment"}}
        for key, node in (graph.get("nodes") or {}).items()
    }
    return {**graph, "nodes": bare}


@staff_page("campaigns.view_journey")
def live(request: HttpRequest, journey_id: int) -> HttpResponseBase:
    """The picture with the counts of now. As a stream, word that they have changed: the page then asks for
    the picture, which it does every few seconds where there is no stream."""
    found = get_object_or_404(Journey, pk=journey_id)
    if wants_stream(request):
        key = ("journey", found.pk, found.status)
        return stream(request, key, lambda: recent_counts(found), lambda counts: (MOVED, False))
    published = found.versions.order_by("-number").first()
    wants_published = published is not None and request.GET.get("show") == "published"
    try:
        graph = graph_of(published) if wants_published and published else read(found.draft)
    except GraphError:
        return HttpResponse(status=204)
    chosen = request.GET.get("node", "")
    counts = _counts(request, found)
    context = {
        "is_counting": counts is None,
        "journey": found, "wants_published": wants_published, "chosen": chosen, "statuses": JourneyStatus,
        "spec": graph.nodes.get(chosen), "can_edit": _can_edit(request, found) and not wants_published,
        "drawing": draw(graph, counts, _problems(found)),
    }  # fmt: skip
    return render(request, "journeys/canvas.html", context)


@require_POST
@staff_page("campaigns.launch_campaign")
def steer(request: HttpRequest, journey_id: int, action: str) -> HttpResponse:
    """publish, pause, resume, retry, end."""
    found = get_object_or_404(Journey, pk=journey_id)
    if not request.user.has_perm("campaigns.change_journey"):
        raise PermissionDenied
    try:
        if action == "publish":
            moved = request.POST.get("move") == "on"
            version = services.publish(found, actor=actor_name(request), move_inside=moved)
            messages.success(request, _("Version %(n)s lets people in.") % {"n": version.number})
        elif action == "end" and request.POST.get("sure") != "yes":
            return redirect("journeys:sure", journey_id=found.pk, action="end")
        elif action in services.STEER:
            services.STEER[action](found, actor=actor_name(request))
    except ProblemError as error:
        messages.error(request, " ".join([str(error), *(one["detail"] for one in error.errors)]))
    return redirect("journeys:journey", journey_id=found.pk)
