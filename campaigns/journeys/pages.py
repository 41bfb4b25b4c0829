"""Journeys in the shell: the list, the picture with who is where, and editing the draft step by step."""

from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from campaigns.journeys import editing, entries, nodes, selectors, services
from campaigns.journeys.drawing import draw
from campaigns.journeys.form import NotReadable, read_fields, shown_fields
from campaigns.journeys.graph import Graph, GraphError
from campaigns.journeys.recent_counts import recent_counts
from campaigns.journeys.templates import TEMPLATES, create_from_template
from campaigns.journeys.versions import check, graph_of, read
from campaigns.models import Journey, JourneyStatus, PassageStep
from personalization.access.models import User
from personalization.access.problems import ProblemError
from personalization.access.services import actor_name
from personalization.access.shell import render_page, staff_page
from personalization.customers import reading

PEOPLE_PER_PAGE = 25
STEER = {"pause": services.pause, "resume": services.resume, "end": services.end}


@staff_page("campaigns.view_journey")
def journey_list(request: HttpRequest) -> HttpResponse:
    rows = [
        {"journey": journey, "counts": recent_counts(journey)}
        for journey in Journey.objects.order_by("-created_at")[:100]
    ]
    return render_page(
        request,
        "journeys/list.html",
        {
            "rows": rows,
            "templates": TEMPLATES.items(),
            "can_add": request.user.has_perm("campaigns.add_journey"),
        },
        title=_("Journeys"),
    )


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
    problems: list[dict[str, str]] = []
    try:
        graph = graph_of(published) if wants_published and published else read(found.draft)
    except GraphError:
        graph = None
    try:
        check(found.draft)
    except ProblemError as error:
        problems = [dict(one) for one in error.errors]
    counts = recent_counts(found)
    chosen = request.GET.get("node", "")
    may_edit = request.user.has_perm("campaigns.change_journey") and found.status != JourneyStatus.ENDED
    context: dict[str, Any] = {
        "journey": found,
        "published": published,
        "wants_published": wants_published,
        "is_newer": published is not None and _bare(published.graph) != _bare(found.draft),
        "counts": counts,
        "drawing": draw(graph, counts, problems) if graph else None,
        "problems": problems,
        "chosen": chosen,
        "can_edit": may_edit and not wants_published,
        "can_launch": request.user.has_perm("campaigns.launch_campaign"),
        "can_end": published is not None and request.user.has_perm("campaigns.change_journey"),
        "statuses": JourneyStatus,
        "entry_kinds": [(kind, entries.get(kind).label) for kind in entries.kinds()],
        "node_kinds": [(kind, nodes.get(kind).label) for kind in nodes.kinds()],
    }
    if graph is not None:
        context.update(_panel(request, found, graph, chosen))
    return render_page(request, "journeys/journey.html", context, title=found.name)


def _bare(graph: dict[str, Any]) -> Any:
    """Without the numbers of experiments, which publishing adds."""
    bare = {
        key: {**node, "params": {k: v for k, v in (node.get("params") or {}).items() if k != "experiment"}}
        for key, node in (graph.get("nodes") or {}).items()
    }
    return {**graph, "nodes": bare}


def _panel(request: HttpRequest, found: Journey, graph: Graph, chosen: str) -> dict[str, Any]:
    """What stands beside the picture: the settings of the chosen node, or of the entry; and who is there."""
    if chosen in graph.nodes:
        spec = graph.nodes[chosen]
        kind = nodes.get(spec.kind)
        panel: dict[str, Any] = {
            "spec": spec,
            "kind": kind,
            "fields": shown_fields(kind.fields, spec.params),
            "ways": [
                {"name": name, "label": kind.exit_label(name, spec.params) or _("then"), "target": target}
                for name, target in spec.next.items()
            ],
            "targets": [
                (key, one.name or str(nodes.get(one.kind).label))
                for key, one in graph.nodes.items()
                if key != chosen
            ],
        }
    else:
        entry = entries.get(graph.entry_kind)
        panel = {
            "entry": entry,
            "graph": graph,
            "fields": shown_fields(entry.fields, graph.entry_params),
            "exit_events": "\n".join(
                f"{rule.event} *" if rule.is_goal else rule.event for rule in graph.exits if rule.event
            ),
        }
    if request.user.has_perm("customers.view_customer"):
        panel.update(_people(request, found, graph, chosen))
    return panel


def _people(request: HttpRequest, found: Journey, graph: Graph, chosen: str) -> dict[str, Any]:
    """A page of who is at the chosen node, or of all, with why they stand there; masked where the reader may
    not see names."""
    page = Paginator(selectors.people(found, node=chosen), PEOPLE_PER_PAGE).get_page(request.GET.get("page"))
    passages = list(page.object_list)
    shown = reading.show(request, {one.customer for one in passages if one.customer}, page="journey")
    names = {one.pk: one for one in shown}
    steps = selectors.last_steps(passages)
    rows = [
        {
            "passage": one, "customer": names.get(one.customer_id or 0),
            "at": _label(graph, one.node), "why": _why(graph, steps.get(one.pk)),
        }
        for one in passages
    ]  # fmt: skip
    return {"people": page, "rows": rows}


def _label(graph: Graph, key: str) -> str:
    """Of another version's step only the key is known."""
    spec = graph.nodes.get(key)
    return (spec.name or str(nodes.get(spec.kind).label)) if spec else key


def _why(graph: Graph, step: PassageStep | None) -> str:
    if step is None:
        return _("came in")
    spec = graph.nodes.get(step.node)
    way = nodes.get(spec.kind).exit_label(step.exit, spec.params) if spec else step.exit
    said = [f"{_label(graph, step.node)}: {way or _('passed')}", step.detail]
    return " · ".join(part for part in said if part)


@staff_page("campaigns.view_journey")
def live(request: HttpRequest, journey_id: int) -> HttpResponse:
    """The picture with the counts of now; the page asks for it every few seconds while people move."""
    found = get_object_or_404(Journey, pk=journey_id)
    published = found.versions.order_by("-number").first()
    wants_published = published is not None and request.GET.get("show") == "published"
    try:
        graph = graph_of(published) if wants_published and published else read(found.draft)
    except GraphError:
        return HttpResponse(status=204)
    chosen = request.GET.get("node", "")
    context = {
        "journey": found, "wants_published": wants_published, "chosen": chosen, "statuses": JourneyStatus,
        "spec": graph.nodes.get(chosen), "drawing": draw(graph, recent_counts(found), []),
    }  # fmt: skip
    return render(request, "journeys/canvas.html", context)


@require_POST
@staff_page("campaigns.change_journey")
def edit(request: HttpRequest, journey_id: int) -> HttpResponse:
    """One change of the draft; `do` says which."""
    found = get_object_or_404(Journey, pk=journey_id)
    node = request.POST.get("node", "")
    try:
        draft, node = _changed(request, found.draft, node)
        if request.POST.get("do") != "name":
            read(draft)
        name = request.POST.get("name", found.name) if request.POST.get("do") == "name" else found.name
        services.save_journey(found, name=name, graph=draft, actor=actor_name(request))
        messages.success(request, _("Saved in the draft."))
    except (NotReadable, ProblemError) as error:
        messages.error(request, str(error))
    except editing.CannotRemove:
        messages.error(request, _("A journey has at least one step."))
    except (GraphError, KeyError):
        messages.error(request, _("This would lead in a circle or to nowhere; nothing was changed."))
    return _back(found, node)


def _changed(request: HttpRequest, draft: dict[str, Any], node: str) -> tuple[dict[str, Any], str]:
    data, do = request.POST, request.POST.get("do", "")
    if do == "add":
        kind = nodes.get(data["kind"])
        params = {field.name: field.default for field in kind.fields}
        return editing.add_node(
            draft,
            kind=kind.name,
            exits=kind.exits(params),
            params=params,
            after=node,
            way=data.get("way", ""),
        )
    if do == "remove":
        return editing.remove_node(draft, node), ""
    if do == "node":
        kind = nodes.get(draft["nodes"][node]["kind"])
        params = read_fields(kind.fields, data)
        ways = {name: data.get(f"next-{name}") or None for name in kind.exits(params)}
        name = data.get("label", "").strip()[:100]
        return editing.change_node(draft, node, name=name, params=params, ways=ways), node
    if do == "entry":
        kind_name = data["entry"]
        same = kind_name == draft["entry"]["kind"]
        fields = entries.get(kind_name).fields
        params = read_fields(fields, data) if same else {field.name: field.default for field in fields}
        days = float(data.get("reentry_days") or 0)
        rules = [
            {"event": line.removesuffix("*").strip(), "is_goal": line.endswith("*")}
            for line in map(str.strip, data.get("exit_events", "").splitlines())
            if line
        ]
        kept = [rule for rule in draft.get("exits") or [] if "segment" in rule]
        return {
            **draft, "entry": {"kind": kind_name, "params": params}, "exits": [*rules, *kept],
            "reentry": {"rule": data.get("reentry", "never"), "days": days},
        }, ""  # fmt: skip
    return draft, node


def _back(found: Journey, node: str = "") -> HttpResponse:
    url = reverse("journeys:journey", args=[found.pk])
    return redirect(f"{url}?node={node}" if node else url)


@require_POST
@staff_page("campaigns.launch_campaign")
def steer(request: HttpRequest, journey_id: int, action: str) -> HttpResponse:
    """publish, pause, resume, end."""
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
        elif action in STEER:
            STEER[action](found, actor=actor_name(request))
    except ProblemError as error:
        messages.error(request, " ".join([str(error), *(one["detail"] for one in error.errors)]))
    return _back(found)
