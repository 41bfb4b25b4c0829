"""The stored sums of days, as rows and as numbers."""

from experiments.metrics import NAMES, Sums
from experiments.models import DaySums, MetricState
from experiments.sums.questions import ByDay, View


def view_of(state: MetricState) -> View:
    return View(state.until, state.received_until)


def days_of(state: MetricState) -> ByDay:
    found: ByDay = {}
    for row in state.days.all():
        found.setdefault(row.variant_id, {})[row.day] = Sums(*(getattr(row, name) for name in NAMES))
    return found


def store_changes(state: MetricState, changes: ByDay) -> None:
    days = days_of(state)
    _add(days, changes)
    DaySums.objects.bulk_create(
        (
            DaySums(state=state, variant_id=variant_id, day=day, **vars(days[variant_id][day]))
            for variant_id, changed in changes.items()
            for day in changed
        ),
        update_conflicts=True,
        unique_fields=["state", "variant", "day"],
        update_fields=list(NAMES),
    )


def _add(days: ByDay, changes: ByDay, *, sign: int = 1) -> None:
    for variant_id, changed in changes.items():
        known = days.setdefault(variant_id, {})
        for day, sums in changed.items():
            before = known.get(day, Sums())
            known[day] = before + sums if sign > 0 else before - sums


def add_all(found: list[ByDay], changes: list[ByDay], *, sign: int = 1) -> None:
    for days, changed in zip(found, changes, strict=True):
        _add(days, changed, sign=sign)
