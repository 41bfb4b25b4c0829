"""From samples to a model, what it says, and the values it gives to customers; or that there is nothing."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from django.db.models import QuerySet
from django.utils.translation import gettext_noop as _

from personalization.access.kept_words import keep
from personalization.customers.models import SOMEBODY, Customer
from personalization.segments import selectors
from personalization.segments.causes import Asked, asked_about
from personalization.segments.compiler import newest_definition
from personalization.segments.definition import parse
from personalization.segments.discovery.features import (
    OF_PURCHASES,
    Plan,
    Profile,
    make_plan,
    make_table,
    read_profiles,
)
from personalization.segments.discovery.groups import (
    LEAST_CUSTOMERS,
    Groups,
    distinctions,
    find_groups,
    match_letters,
)
from personalization.segments.discovery.likeness import LEAST_MEMBERS, learn_likeness, places_of
from personalization.segments.discovery.mixture import Mixture, find_mixture
from personalization.segments.discovery.scaling import learn_scaling
from personalization.segments.models import Discovery, DiscoveryKind
from personalization.traits.models import TraitDefinition

SAMPLE = 10_000
READ = 2_000
MOST_REASONS = 6
Sample = Callable[[QuerySet[Customer], int], list[int]]
Values = Callable[[Sequence[int]], dict[int, Any]]
Found = tuple[dict[str, Any], dict[str, Any], Values]


class NothingFound(Exception):
    """The honest answer, to be kept (`kept_words`); `result`: what was tried."""

    def __init__(self, reason: str, result: dict[str, Any] | None = None) -> None:
        super().__init__(reason)
        self.result = result or {}


def found_groups(discovery: Discovery, sample: Sample, *, now: datetime) -> Found:
    """Raises NothingFound."""
    profiles = _profiles(sample(Customer.objects.filter(SOMEBODY), SAMPLE), discovery, now=now)
    if len(profiles) < LEAST_CUSTOMERS:
        raise NothingFound(keep(_("It needs at least %(n)s customers."), n=LEAST_CUSTOMERS))
    plan = make_plan(profiles, purchase_event=discovery.purchase_event)
    raw = make_table(profiles, plan, spread=discovery.pk)
    scaling = learn_scaling(raw)
    if not scaling.kept:
        raise NothingFound(_("All customers look the same."))
    table = scaling.apply(raw)
    found: Groups | Mixture
    found = find_mixture(table) if discovery.kind == DiscoveryKind.MIXTURE else find_groups(table)
    tried = [vars(one) | {"holds": one.holds} for one in found.tried]
    if not found.number:
        raise NothingFound(_("There are no clear groups: customers differ gradually."), {"tried": tried})
    before = [str(profile.traits.get(discovery.trait, "")) for profile in profiles]
    letters = match_letters(before, found.labels, groups=found.number)
    names = [plan.names[column] for column in scaling.kept]
    groups: list[dict[str, Any]] = [
        {
            "letter": letter, "share": float((found.labels == number).mean()),
            "apart": [[names[column], by] for column, by in distinctions(table, found.labels, number)],
        }
        for number, letter in enumerate(letters)
    ]  # fmt: skip
    groups.sort(key=lambda group: group["letter"])
    model = {
        "plan": plan.to_json(),
        "scaling": scaling.to_json(),
        **found.to_json(),
        "letters": letters,
    }
    result = {"groups": groups, "tried": tried, "sample": len(profiles)}

    def values(ids: Sequence[int]) -> dict[int, Any]:
        known = read_profiles(ids, purchase_event=plan.purchase_event, now=now)
        if not known:
            return {}
        labels = found.assign(scaling.apply(make_table(list(known.values()), plan)))
        return {pk: letters[label] for pk, label in zip(known, labels.tolist(), strict=True)}

    return model, result, values


def found_lookalikes(discovery: Discovery, sample: Sample, *, now: datetime) -> Found:
    """What the segment itself asks about is hidden from the model: it would tell only what is known.

    Raises NothingFound, DefinitionError.
    """
    seed = discovery.seed
    if seed is None:
        raise NothingFound(_("Name a segment."))
    members = selectors.members(seed.current, now=now).filter(SOMEBODY)
    inside, outside = _both_sides(members, discovery, sample, now=now)
    plan = _plan_without(_asked(seed.current.definition), [*inside, *outside], discovery)
    raw = make_table([*inside, *outside], plan)
    scaling = learn_scaling(raw)
    if not scaling.kept:
        raise NothingFound(_("Nothing is known of them but what the segment itself asks."))
    table = scaling.apply(raw)
    found = learn_likeness(table[: len(inside)], table[len(inside) :])
    area = {"value": found.area.value, "low": found.area.low, "high": found.area.high}
    result: dict[str, Any] = {"area": area, "members": len(inside), "others": len(outside)}
    if not found.area.tells:
        raise NothingFound(_("Members cannot be told from others better than by chance."), result)
    names = [plan.names[column] for column in scaling.kept]
    order = np.argsort(-np.abs(found.weights), kind="stable")[:MOST_REASONS]
    result |= {
        "lift": found.lift,
        "reasons": [[names[at], round(found.weights[at], 3)] for at in order.tolist()],
        "hidden": sorted({*plan.left_out, *_asked(seed.current.definition).traits}),
    }
    model = {
        "plan": plan.to_json(), "scaling": scaling.to_json(), "weights": found.weights, "scale": found.scale,
    }  # fmt: skip

    def values(ids: Sequence[int]) -> dict[int, Any]:
        known = read_profiles(ids, purchase_event=plan.purchase_event, now=now)
        own = set(members.filter(pk__in=ids).values_list("pk", flat=True))
        others = {pk: profile for pk, profile in known.items() if pk not in own}
        if not others:
            return {}
        places = places_of(scaling.apply(make_table(list(others.values()), plan)), found.weights, found.scale)
        return dict(zip(others, places.tolist(), strict=True))

    return model, result, values


def _both_sides(
    members: QuerySet[Customer], discovery: Discovery, sample: Sample, *, now: datetime
) -> tuple[list[Profile], list[Profile]]:
    """Some members and some others. Raises NothingFound where there are too few."""
    others = Customer.objects.filter(SOMEBODY).exclude(pk__in=members.values("pk"))
    inside, outside = (_profiles(sample(side, SAMPLE), discovery, now=now) for side in (members, others))
    if min(len(inside), len(outside)) < LEAST_MEMBERS:
        raise NothingFound(
            keep(_("It needs at least %(n)s members and as many other customers."), n=LEAST_MEMBERS)
        )
    return inside, outside


def _asked(definition: object) -> Asked:
    return asked_about(parse(definition), lambda pk: parse(newest_definition(pk)))


def _plan_without(asked: Asked, profiles: Sequence[Profile], discovery: Discovery) -> Plan:
    left_out = {"activity"} if asked.events else set()
    if discovery.purchase_event in asked.events:
        left_out |= set(OF_PURCHASES)
    if "created_at" in asked.traits:
        left_out |= {"tenure"}
    # Computed traits that repeat what happened in these events.
    computed = TraitDefinition.objects.filter(event__in=asked.events).values_list("name", flat=True)
    plan = make_plan(
        profiles, purchase_event=discovery.purchase_event, left_out=left_out,
        hidden_traits={*asked.traits, *computed}, with_marks=True,
    )  # fmt: skip
    return Plan(**plan.to_json() | {"categories": []}) if asked.items else plan


def _profiles(ids: Sequence[int], discovery: Discovery, *, now: datetime) -> list[Profile]:
    found: list[Profile] = []
    for at in range(0, len(ids), READ):
        chunk = ids[at : at + READ]
        found += read_profiles(chunk, purchase_event=discovery.purchase_event, now=now).values()
    return found
