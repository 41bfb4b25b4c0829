"""Graphs of versions, read once; and reading a draft with sentences for what is wrong."""

from functools import lru_cache
from typing import Any

from django.utils.translation import gettext as _

from campaigns.errors import InvalidJourney
from campaigns.journeys import entries, nodes
from campaigns.journeys.graph import Graph, GraphError, parse
from campaigns.models import JourneyVersion


@lru_cache(maxsize=256)
def _graph(version_id: int) -> Graph:
    version = JourneyVersion.objects.get(pk=version_id)
    return read(version.graph)


def graph_of(version: JourneyVersion) -> Graph:
    """What is published never changes, so it is read once per process."""
    return _graph(version.pk)


def read(data: Any) -> Graph:
    """Only the structure is checked. Raises GraphError."""
    return parse(data, exits_of=nodes.exits_of, entry_kinds=frozenset(entries.kinds()))


def check(data: Any) -> Graph:
    """Structure and every setting. Raises InvalidJourney with a sentence for each."""
    try:
        graph = read(data)
    except GraphError as error:
        raise InvalidJourney(
            _("The journey is not complete yet."),
            errors=[{"pointer": one.pointer, "detail": _sentence(one.code)} for one in error.wrong],
        ) from error
    errors = [
        {"pointer": f"/entry/params/{name}", "detail": str(sentence)}
        for name, sentence in entries.get(graph.entry_kind).check(graph.entry_params)
    ]
    used: set[object] = set()
    for key, spec in graph.nodes.items():
        for name, sentence in nodes.get(spec.kind).check(spec.params):
            errors.append({"pointer": f"/nodes/{key}/params/{name}", "detail": str(sentence)})
        if spec.kind == "message":
            if spec.params.get("campaign") in used:
                errors.append(
                    {
                        "pointer": f"/nodes/{key}/params/campaign",
                        "detail": _("Another step sends this campaign already."),
                    }
                )
            used.add(spec.params.get("campaign"))
    if errors:
        raise InvalidJourney(_("The journey is not complete yet."), errors=errors)
    return graph


def _sentence(code: str) -> str:
    return {
        "object": _("This must be a JSON object."),
        "choice": _("Choose one of the offered values."),
        "range": _("This number is too small or too large."),
        "missing": _("The step that follows does not exist."),
        "count": _("Between 1 and 100 steps, and at most 10 rules."),
        "key": _("A step's key has small letters, digits and _."),
        "exit": _("The step has no such way out."),
        "rule": _("A rule names an event or a segment."),
        "circle": _("The way leads back to an earlier step: a journey goes only forward."),
        "unreachable": _("No way leads to this step."),
    }[code]
