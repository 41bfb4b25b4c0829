"""Assignments that were made elsewhere: a past campaign, or an experiment begun with another tool.

A call is written whole or not at all, and may be repeated: what is on record already counts as unchanged.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from experiments.assigning import NewAssignment, store
from experiments.assignment import NOWHERE
from experiments.errors import InvalidAssignments, WrongState
from experiments.models import Assignment, Experiment, Origin
from experiments.traffic.rules import rule_of
from personalization.customers.identity import resolve


@dataclass(frozen=True)
class ImportedRow:
    """`variant` None: by the experiment's own hash of `customer`. `propensity` None: as the weights say."""

    customer: str
    at: datetime
    variant: str | None = None
    propensity: float | None = None


@dataclass(frozen=True)
class ImportResult:
    created: int
    unchanged: int


@transaction.atomic
def import_assignments(experiment: Experiment, rows: Sequence[ImportedRow], *, now: datetime) -> ImportResult:
    """Customers nobody knows yet are created, as by an event. Raises InvalidAssignments, WrongState."""
    if experiment.origin != Origin.API:
        raise WrongState(_("A launch assigned this experiment's customers; nobody can be added."))
    variants = list(experiment.variants.order_by("position"))
    rule = rule_of(experiment, variants)
    index_of = {variant.key: index for index, variant in enumerate(variants)}
    errors: list[dict[str, str]] = []
    chosen: dict[str, tuple[int, ImportedRow, int]] = {}  # by customer: variant, row, place of the row
    for place, row in enumerate(rows):
        index = rule.choose(row.customer) if row.variant is None else index_of.get(row.variant)
        if problem := _problem(row, index, now=now, twice=row.customer in chosen):
            field, detail = problem
            errors.append({"pointer": f"/assignments/{place}/{field}", "detail": detail})
        elif index is not None:
            chosen[row.customer] = (index, row, place)
    if errors:
        raise InvalidAssignments(errors=errors)
    if not chosen:
        return ImportResult(0, 0)
    ids = resolve(user_ids=chosen, at=min(row.at for _index, row, _place in chosen.values())).users
    new: dict[int, tuple[NewAssignment, int]] = {}
    for customer, (index, row, place) in chosen.items():
        chance = rule.chance(index) if row.propensity is None else row.propensity
        entry = NewAssignment(ids[customer], variants[index].pk, chance, row.at)
        if ids[customer] in new and new[ids[customer]][0].variant_id != entry.variant_id:
            errors.append(_conflict(place))
        new.setdefault(ids[customer], (entry, place))
    before = Assignment.objects.filter(experiment=experiment, customer__in=new).count()
    store(experiment, [entry for entry, _place in new.values()])
    # Read back: whatever another call wrote first is judged too.
    written = dict(
        Assignment.objects.filter(experiment=experiment, customer__in=new).values_list(
            "customer_id", "variant_id"
        )
    )
    errors += [
        _conflict(place) for entry, place in new.values() if written[entry.customer_id] != entry.variant_id
    ]
    if errors:
        raise InvalidAssignments(errors=errors)
    return ImportResult(created=len(new) - before, unchanged=len(rows) - (len(new) - before))


def _problem(row: ImportedRow, index: int | None, *, now: datetime, twice: bool) -> tuple[str, str] | None:
    if index is None:
        return "variant", _("The experiment has no such variant.")
    if index == NOWHERE:
        return "customer", _("By its hash this customer takes no part; name the variant.")
    if row.at > now:
        return "assigned_at", _("This time lies in the future.")
    if twice:
        return "customer", _("This customer stands in an earlier row.")
    return None


def _conflict(place: int) -> dict[str, str]:
    detail = _("This customer has another variant already; nobody is moved.")
    return {"pointer": f"/assignments/{place}/variant", "detail": detail}
