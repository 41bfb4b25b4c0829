"""Reads of journeys: who is where, and why."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Count, Q, QuerySet

from campaigns.models import Journey, Passage, PassageStatus, PassageStep
from personalization.customers.recent import recent
from personalization.privacy.floor import round_down
from personalization.privacy.told import told_counts


def counts(journey: Journey) -> dict[str, Any]:
    """`nodes`: by key, how many stand there (inside), are stuck there (failed), came by (passed), and by
    which exit (exits). The rest is about the journey as a whole. All versions together."""
    found: dict[str, dict[str, Any]] = {}
    here = journey.passages.filter(status__in=[PassageStatus.INSIDE, PassageStatus.FAILED])
    for node, status, n in here.values_list("node", "status").annotate(n=Count("pk")).order_by():
        found.setdefault(node, _blank())[status] = n
    steps = PassageStep.objects.filter(passage__journey=journey, passage__is_test=False).values_list(
        "node", "exit"
    )
    for node, name, n in steps.annotate(n=Count("pk")).order_by():
        one = found.setdefault(node, _blank())
        one["passed"] += n
        one["exits"][name] = n
    whole = journey.passages.aggregate(
        entered=Count("pk"),
        **{status: Count("pk", filter=Q(status=status)) for status in PassageStatus.values},
        goal=Count("pk", filter=Q(goal_at__isnull=False)),
    )
    return {**whole, "nodes": found}


def recent_counts(journey: Journey) -> dict[str, Any] | None:
    """As `counts`, for pages: of a journey with very many people some seconds old, None while they are
    counted first."""
    return recent(f"journeys:counts:{journey.pk}:{journey.status}", lambda: counts(journey))


def told_journey(found: dict[str, Any], *, whole: bool) -> dict[str, Any]:
    """As whoever may not see personal data gets it: each count in steps of the floor."""
    if whole:
        return found
    nodes = {
        key: {
            "inside": round_down(one["inside"]),
            "failed": round_down(one["failed"]),
            "passed": round_down(one["passed"]),
            "exits": told_counts(one["exits"], whole=False),
        }
        for key, one in found["nodes"].items()
    }
    return told_counts({k: n for k, n in found.items() if k != "nodes"}, whole=False) | {"nodes": nodes}


NOT_YET: dict[str, Any] = {"entered": None, "goal": None, "nodes": {}} | dict.fromkeys(PassageStatus.values)
"""What a page shows while nothing is counted yet."""


def _blank() -> dict[str, Any]:
    return {"inside": 0, "failed": 0, "passed": 0, "exits": {}}


def people(journey: Journey, *, node: str = "", status: str = "") -> QuerySet[Passage]:
    """Passages with their customers, newest first; tests too."""
    found = Passage.everything.filter(journey=journey).select_related("customer", "version").order_by("-pk")
    if node:
        found = found.filter(node=node)
    if status:
        found = found.filter(status=status)
    return found


def last_steps(passages: Sequence[Passage]) -> dict[int, PassageStep]:
    """By passage, the step that brought it to where it stands or ended; none for who only came in."""
    steps = PassageStep.objects.filter(passage__in=[one.pk for one in passages])
    return {step.passage_id: step for step in steps.order_by("passage", "-at", "-pk").distinct("passage")}


def way_of(passage: Passage) -> list[dict[str, Any]]:
    """The steps of one passage, in order."""
    return [dict(step) for step in passage.steps.order_by("at", "pk").values("node", "exit", "detail", "at")]
