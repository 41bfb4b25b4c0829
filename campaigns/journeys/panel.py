"""What stands beside the picture of a journey: the settings of a step or of the entry, and who is there."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Case, When
from django.http import HttpRequest
from django.utils.translation import gettext as _

from campaigns.journeys import entries, nodes, selectors
from campaigns.journeys.form import shown_fields
from campaigns.journeys.graph import Graph
from campaigns.journeys.passing import LEFT
from campaigns.models import Journey, PassageStatus, PassageStep
from personalization.customers import reading
from personalization.privacy.floor import is_reportable, smallest_cell

PEOPLE_PER_PAGE = 25


def panel_of(
    request: HttpRequest, found: Journey, graph: Graph, *, chosen: str, problems: Sequence[Mapping[str, str]]
) -> dict[str, Any]:
    """What stands beside the picture: the settings of the chosen node, or of the entry; and who is there."""
    if chosen in graph.nodes:
        spec = graph.nodes[chosen]
        kind = nodes.get(spec.kind)
        panel: dict[str, Any] = {
            "spec": spec,
            "kind": kind,
            "fields": shown_fields(kind.fields, spec.params, _faults(problems, f"/nodes/{chosen}/params/")),
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
            "reentry_days": f"{graph.reentry_days:g}",
            "fields": shown_fields(entry.fields, graph.entry_params, _faults(problems, "/entry/params/")),
            "exit_events": "\n".join(
                f"{rule.event} *" if rule.is_goal else rule.event for rule in graph.exits if rule.event
            ),
        }
    if request.user.has_perm("customers.view_customer"):
        panel.update(_people(request, found, graph, chosen))
    return panel


def stuck_at(graph: Graph, counts: Mapping[str, Any]) -> list[tuple[str, str, int]]:
    """Key, name and number of people of every step at which some are stuck by an error."""
    return [(key, _label(graph, key), one["failed"]) for key, one in counts["nodes"].items() if one["failed"]]


def _faults(problems: Sequence[Mapping[str, str]], under: str) -> dict[str, str]:
    found = [one for one in problems if one["pointer"].startswith(under)]
    return {one["pointer"].removeprefix(under): one["detail"] for one in reversed(found)}


def _people(request: HttpRequest, found: Journey, graph: Graph, chosen: str) -> dict[str, Any]:
    """A page of who is at the chosen node, or of all, with why they stand there; masked where the reader may
    not see names."""
    rows_of = selectors.people(found, node=chosen)
    is_held_back = not reading.may_see(request) and not is_reportable(
        rows_of.order_by()[: smallest_cell()].count()
    )
    if is_held_back:
        rows_of = rows_of.none()
    # Those who are stuck stand first: among thousands nobody would find them.
    rows_of = rows_of.order_by(Case(When(status=PassageStatus.FAILED, then=0), default=1), "-pk")
    page = Paginator(rows_of, PEOPLE_PER_PAGE).get_page(request.GET.get("page"))
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
    return {"people": page, "rows": rows, "is_held_back": is_held_back}


def _label(graph: Graph, key: str) -> str:
    """Of another version's step only the key is known."""
    spec = graph.nodes.get(key)
    return (spec.name or str(nodes.get(spec.kind).label)) if spec else key


def _why(graph: Graph, step: PassageStep | None) -> str:
    if step is None:
        return _("came in")
    spec, way = graph.nodes.get(step.node), step.exit
    if way == LEFT:
        way = _("Left by a rule")
    elif spec:
        way = nodes.get(spec.kind).exit_label(way, spec.params)
    way = way or _("passed")  # not inside of the f-string, where xgettext does not see it
    said = [f"{_label(graph, step.node)}: {way}", step.detail]
    return " · ".join(part for part in said if part)
