"""Writes of journeys: drafting, publishing, steering, letting people in by API."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from campaigns import services as campaigns
from campaigns.errors import InvalidJourney, InvalidState
from campaigns.journeys import drafts, entries, stuck
from campaigns.journeys.entering import enter
from campaigns.journeys.entries import Entrant
from campaigns.journeys.graph import Graph
from campaigns.journeys.nodes.split_random import open_experiment
from campaigns.journeys.versions import check, graph_of
from campaigns.models import (
    Campaign,
    CampaignStatus,
    Journey,
    JourneyStatus,
    JourneyVersion,
    Passage,
    PassageStatus,
)
from campaigns.triggering import taking_in
from personalization.access.services import audit

if TYPE_CHECKING:
    from personalization.access.models import User

MAX_DRAFT = 200_000


@transaction.atomic
def save_journey(
    journey: Journey | None,
    *,
    name: str,
    graph: Mapping[str, Any],
    actor: str,
    created_by: "User | None" = None,
) -> Journey:
    """Saves the draft, complete or not; what is published stays as it is. Raises InvalidJourney."""
    if not 0 < len(name.strip()) <= 200:
        detail = _("Give the journey a name of 1 to 200 characters.")
        raise InvalidJourney(detail, errors=[{"pointer": "/name", "detail": detail}])
    if len(str(graph)) > MAX_DRAFT:
        raise InvalidJourney(_("The journey is too large."))
    if journey is None:
        journey = Journey(created_by=created_by)
    else:
        journey = Journey.objects.select_for_update().get(pk=journey.pk)
    before = journey.draft
    journey.name, journey.draft = name.strip(), dict(graph)
    journey.save()
    drafts.keep(journey, before=before)
    journey.save(update_fields=["draft_number"])
    audit(actor, "journey.saved", f"journey:{journey.pk}")
    return journey


@transaction.atomic
def publish(
    journey: Journey,
    *,
    actor: str,
    move_inside: bool = False,
    now: datetime | None = None,
    stands_for: Journey | None = None,
) -> JourneyVersion:
    """Makes the draft the version that lets people in, and opens what its steps need.

    Who is inside stays on their version; with `move_inside` those whose step has the same key in the new one
    go on there. `stands_for`: the journey that a rehearsed one is a copy of; its splits by chance divide
    people as the other's will. Raises InvalidJourney, CampaignNotReady, InvalidState.
    """
    now = now or timezone.now()
    journey = Journey.objects.select_for_update().get(pk=journey.pk)
    if journey.status == JourneyStatus.ENDED:
        raise InvalidState(_("An ended journey stays ended."))
    graph = check(journey.draft)
    before = journey.versions.order_by("-number").first()
    number = before.number + 1 if before else 1
    _open_campaigns(graph, actor=actor, now=now)
    version = JourneyVersion.objects.create(
        journey=journey, number=number, published_at=now, published_by=actor[:200],
        graph=_with_experiments(stands_for or journey, graph, now=now),
    )  # fmt: skip
    if before is None or _entry_of(before.graph) != _entry_of(version.graph):
        journey.members.all().delete()
        entries.get(graph.entry_kind).open(journey, graph.entry_params, now=now)
    journey.opened_at = journey.opened_at or now
    journey.read_at = journey.read_at or now
    journey.status = JourneyStatus.ACTIVE if before is None else journey.status
    journey.save(update_fields=["opened_at", "read_at", "status", "updated_at"])
    moved = _move(journey, version) if move_inside else 0
    audit(actor, "journey.published", f"journey:{journey.pk}", version=number, moved=moved)
    return version


def _entry_of(graph: Mapping[str, Any]) -> Any:
    return graph.get("entry")


def _open_campaigns(graph: Graph, *, actor: str, now: datetime) -> None:
    for spec in graph.nodes.values():
        if spec.kind != "message":
            continue
        campaign = Campaign.objects.get(pk=spec.params["campaign"])
        if campaign.status != CampaignStatus.LAUNCHED:
            campaigns.launch(campaign, actor=actor, now=now)
        elif taking_in.standing_run(campaign.pk) is None:
            raise InvalidState(_("The campaign “%(name)s” was closed.") % {"name": campaign.name})


def _with_experiments(journey: Journey, graph: Graph, *, now: datetime) -> dict[str, Any]:
    """The draft with an experiment for each split by chance: the one from before when nothing changed."""
    data = dict(journey.draft)
    nodes = {key: dict(value) for key, value in data["nodes"].items()}
    before = journey.versions.order_by("-number").first()
    number = before.number + 1 if before else 1
    old = graph_of(before).nodes if before else {}
    for key, spec in graph.nodes.items():
        if spec.kind != "split_random":
            continue
        last = old.get(key)
        if last is not None and last.kind == spec.kind and last.params.get("ways") == spec.params["ways"]:
            experiment_id = last.params["experiment"]
        else:
            experiment_id = open_experiment(
                spec.params, key=f"journey-{journey.pk}-{key}-v{number}",
                name=f"{journey.name}: {spec.name or key}"[:200], at=now,
            ).pk  # fmt: skip
        nodes[key]["params"] = {**spec.params, "experiment": experiment_id}
    return {**data, "nodes": nodes}


def _move(journey: Journey, version: JourneyVersion) -> int:
    inside = Passage.everything.filter(journey=journey, status=PassageStatus.INSIDE).exclude(version=version)
    return inside.filter(node__in=list(graph_of(version).nodes)).update(version=version)


def pause(journey: Journey, *, actor: str) -> None:
    """Nobody comes in and nobody goes on; who is inside waits where they stand."""
    _switch(journey, {JourneyStatus.ACTIVE}, JourneyStatus.PAUSED, actor=actor, action="journey.paused")


def resume(journey: Journey, *, actor: str) -> None:
    _switch(journey, {JourneyStatus.PAUSED}, JourneyStatus.ACTIVE, actor=actor, action="journey.resumed")


@transaction.atomic
def end(journey: Journey, *, actor: str) -> int:
    """Everybody inside leaves where they stand; answers how many."""
    allowed = {JourneyStatus.ACTIVE, JourneyStatus.PAUSED}
    _switch(journey, allowed, JourneyStatus.ENDED, actor=actor, action="journey.ended")
    return Passage.everything.filter(journey=journey, status=PassageStatus.INSIDE).update(
        status=PassageStatus.LEFT, end_reason="journey ended", ended_at=timezone.now()
    )


# By the words of pages and addresses.
STEER: Mapping[str, Callable[..., object]] = {
    "pause": pause, "resume": resume, "retry": stuck.send_on, "end": end,
}  # fmt: skip


@transaction.atomic
def _switch(journey: Journey, allowed: set[JourneyStatus], to: str, *, actor: str, action: str) -> None:
    """Compare-and-set. Raises InvalidState."""
    if not Journey.objects.filter(pk=journey.pk, status__in=allowed).update(status=to):
        raise InvalidState(_("The journey is not in a state in which this can be done."))
    journey.status = to
    audit(actor, action, f"journey:{journey.pk}")


@transaction.atomic
def enter_by_api(
    journey: Journey,
    people: Sequence[tuple[int, Mapping[str, Any]]],
    *,
    key: str,
    actor: str,
    is_test: bool = False,
) -> int:
    """Lets in those named (customer, what templates see as `trigger`), as far as the re-entry rule allows;
    the same key lets nobody in again. Answers how many came in. Raises InvalidState."""
    now = timezone.now()
    locked = Journey.objects.select_for_update(no_key=True).get(pk=journey.pk)
    if locked.status != JourneyStatus.ACTIVE:
        raise InvalidState(_("The journey is not active."))
    version = locked.versions.latest("number")
    graph = graph_of(version)
    if graph.entry_kind != "api":
        raise InvalidState(_("This journey is not entered by the API."))
    mark = "test" if is_test else "api"
    entrants = [Entrant(pk, f"{mark}:{key}", now, variables) for pk, variables in people]
    entered = enter(locked, version, graph, entrants, now=now, is_test=is_test)
    audit(actor, "journey.entered", f"journey:{journey.pk}", named=len(people), entered=entered)
    return entered
