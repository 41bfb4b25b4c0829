"""Changing a journey's draft from its page, step by step; every change is saved at once and can be undone."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from campaigns.errors import InvalidState
from campaigns.journeys import drafts, editing, entries, nodes, services
from campaigns.journeys.form import NotReadable, read_fields
from campaigns.journeys.graph import GraphError
from campaigns.journeys.versions import read
from campaigns.models import Journey, JourneyStatus
from personalization.access.problems import ProblemError
from personalization.access.services import actor_name
from personalization.access.shell import staff_page

STEPS = {"undo": -1, "redo": 1}


@require_POST
@staff_page("campaigns.change_journey")
def edit(request: HttpRequest, journey_id: int) -> HttpResponse:
    """One change of the draft; `do` says which."""
    found = get_object_or_404(Journey, pk=journey_id)
    node, problem, said = request.POST.get("node", ""), "", _("Saved in the draft.")
    try:
        node, said = _edit(request, found, node)
    except (NotReadable, ProblemError) as error:
        problem = str(error)
    except editing.CannotRemove:
        problem = _("A journey has at least one step.")
    except (GraphError, KeyError):
        problem = _("This would lead in a circle or to nowhere; nothing was changed.")
    url = reverse("journeys:journey", args=[found.pk])
    url = f"{url}?node={node}" if node else url
    if request.accepts("text/html"):
        (messages.error if problem else messages.success)(request, problem or said)
        return redirect(url)
    return JsonResponse({"url": url, "said": problem or said}, status=409 if problem else 200)


def _edit(request: HttpRequest, found: Journey, node: str) -> tuple[str, str]:
    """The step to show, and what was done."""
    do, actor = request.POST.get("do", ""), actor_name(request)
    if found.status == JourneyStatus.ENDED:
        raise InvalidState(_("An ended journey stays ended."))
    if do in STEPS:
        draft = drafts.step(found, by=STEPS[do], actor=actor).draft
        return (node if node in draft["nodes"] else ""), _("Undone.") if do == "undo" else _("Done again.")
    if do == "name":
        services.save_journey(found, name=request.POST.get("name", ""), graph=found.draft, actor=actor)
        return "", _("Saved in the draft.")
    draft, node = _changed(request, found.draft, node)
    read(draft)
    services.save_journey(found, name=found.name, graph=draft, actor=actor)
    gone = len(found.draft["nodes"]) - len(draft["nodes"])
    if gone > 0:
        said = ngettext(
            "%(n)d step is gone; undo brings it back.", "%(n)d steps are gone; undo brings them back.", gone
        )
        return node, said % {"n": gone}
    return node, _("Saved in the draft.")


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
    if do == "move":
        kind = nodes.get(draft["nodes"][node]["kind"])
        exits = kind.exits(draft["nodes"][node].get("params") or {})
        place = {"after": data.get("after", ""), "way": data.get("way", "")}
        return editing.move_node(draft, node, exits=exits, **place), node
    if do == "connect":
        changed = editing.connect(draft, source=node, way=data["way"], target=data.get("target") or None)
        return changed, node
    if do == "node":
        kind = nodes.get(draft["nodes"][node]["kind"])
        params = read_fields(kind.fields, data)
        ways = {name: data.get(f"next-{name}") or None for name in kind.exits(params)}
        name = data.get("label", "").strip()[:100]
        return editing.change_node(draft, node, name=name, params=params, ways=ways), node
    if do == "entry":
        return _with_entry(draft, data), ""
    return draft, node


def _with_entry(draft: dict[str, Any], data: Mapping[str, str]) -> dict[str, Any]:
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
    }  # fmt: skip
