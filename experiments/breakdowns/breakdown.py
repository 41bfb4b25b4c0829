"""The sums of one metric by groups of customers: by a trait, or by being in a segment.

Traits and segments are read as they were at the assignment, as far as that was kept. Only sums of groups
leave the database, and no group with fewer than K_ANONYMITY customers in a variant.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from django.db import connection, transaction

from experiments.breakdowns.customer_groups import (
    IN,
    OUT,
    TABLE,
    count_groups,
    count_remembered,
    group_by_segment,
    group_by_trait,
)
from experiments.breakdowns.report import Cut
from experiments.breakdowns.small_groups import OTHERS, merge_small
from experiments.metrics import Sums
from experiments.models import Experiment
from experiments.stats import Statistic
from experiments.sums.metric_sums import MetricSums
from experiments.sums.moments import INSTANT, prepare
from experiments.sums.questions import Question, View
from experiments.sums.steps import sum_steps
from personalization.privacy.floor import smallest_cell
from personalization.segments.models import Segment

__all__ = ["IN", "OTHERS", "OUT", "Breakdown", "Cut", "GroupChoice", "read_breakdown"]

MAX_CUTS = 5
# Effects of one report: the more are asked, the less each can say.
MAX_CELLS = 60
MAX_GROUPS = 12
Method = Literal["holm", "bh"]


@dataclass(frozen=True)
class GroupChoice:
    """`metric` is a key, None for the primary one; `segments` are ids. `method`: "holm" keeps the chance
    of any false claim below 5 %, "bh" the share of false claims.
    """

    traits: tuple[str, ...] = ()
    segments: tuple[int, ...] = ()
    metric: str | None = None
    method: Method = "holm"
    chosen_at: str = ""

    def __bool__(self) -> bool:
        return bool(self.traits or self.segments)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "GroupChoice":
        return cls(
            tuple(document.get("traits", ())), tuple(document.get("segments", ())), document.get("metric"),
            document.get("method", "holm"), document.get("chosen_at", ""),
        )  # fmt: skip


@dataclass(frozen=True)
class Breakdown:
    """`least` is the number of customers that every group has in every variant."""

    metric: str
    method: Method
    chosen_at: str
    least: int
    cuts: tuple[Cut, ...]

    def as_document(self, write: Callable[[Any], Any]) -> dict[str, Any]:
        return {**vars(self), "cuts": [{**vars(cut), "groups": write(cut.groups)} for cut in self.cuts]}

    @classmethod
    def from_document(cls, document: dict[str, Any], read: Callable[[Any], Any]) -> "Breakdown":
        cuts = tuple(
            Cut(
                **cut
                | {
                    "groups": {
                        label: {key: read(one) for key, one in variants.items()}
                        for label, variants in cut["groups"].items()
                    }
                }
            )
            for cut in document["cuts"]
        )
        return cls(**document | {"cuts": cuts})


def read_breakdown(
    experiment: Experiment, choice: GroupChoice, found: Sequence[MetricSums], *, now: datetime
) -> Breakdown | None:
    """One pass over the metric's events for each cut; None for a metric that has no sums of customers."""
    sums = _asked(choice, found)
    if sums is None:
        return None
    wanted = [("trait", name) for name in choice.traits] + [("segment", pk) for pk in choice.segments]
    most = min(MAX_GROUPS, MAX_CELLS // max(1, len(wanted) * max(1, len(sums.assigned.by_day) - 1)))
    cuts = []
    for kind, key in wanted[:MAX_CUTS]:
        with transaction.atomic():
            prepare()
            if kind == "trait":
                cuts.append(_cut_by_trait(experiment, str(key), sums, max(2, most)))
            else:
                cuts.append(_cut_by_segment(experiment, int(key), sums, max(2, most), now))
            with connection.cursor() as cursor:
                cursor.execute(f"DROP TABLE IF EXISTS {TABLE}")
    return Breakdown(sums.metric.key, choice.method, choice.chosen_at, smallest_cell(), tuple(cuts))


def _asked(choice: GroupChoice, found: Sequence[MetricSums]) -> MetricSums | None:
    usable = [one for one in found if one.metric.quantile is None]
    if choice.metric:
        return next((one for one in usable if one.metric.key == choice.metric), None)
    return next((one for one in usable if one.metric.is_primary), usable[0] if usable else None)


def _cut_by_trait(experiment: Experiment, name: str, sums: MetricSums, most: int) -> Cut:
    order = group_by_trait(experiment, name, most=most)
    if order is None:
        return Cut("trait", name, name, {}, "not_words")
    groups = _statistics(experiment, sums, most, order)
    told = count_remembered(experiment, name)
    return Cut("trait", name, name, groups or {}, "" if groups else "too_few", told.now, told.unknown)


def _cut_by_segment(experiment: Experiment, pk: int, sums: MetricSums, most: int, now: datetime) -> Cut:
    segment = Segment.objects.filter(pk=pk).first()
    if segment is None:
        return Cut("segment", str(pk), str(pk), {}, "gone")
    taken_now = group_by_segment(experiment, segment, now=now)
    groups = _statistics(experiment, sums, most, [IN, OUT])
    return Cut("segment", str(pk), segment.name, groups or {}, "" if groups else "too_few", taken_now)


def _statistics(
    experiment: Experiment, sums: MetricSums, most: int, order: Sequence[str]
) -> dict[str, dict[str, Statistic]] | None:
    counts = count_groups(experiment)
    shown = merge_small(counts, least=smallest_cell(), most=most)
    if shown is None:
        return None
    question = Question(experiment, sums.metric, sums.assigned.calendar)
    [by_variant] = sum_steps([question], view=View(sums.assigned.calendar.as_of + INSTANT), groups=TABLE)
    keys = dict(experiment.variants.values_list("pk", "key"))
    customers: dict[tuple[str, int], int] = {}
    added: dict[tuple[str, int], Sums] = {}
    for label, by in counts.items():
        for variant, n in by.items():
            cell = (shown[label], variant)
            customers[cell] = customers.get(cell, 0) + n
            added[cell] = added.get(cell, Sums()) + by_variant.get(variant, {}).get(label, Sums())
    found: dict[str, dict[str, Statistic]] = {}
    places = {label: place for place, label in enumerate(order)}
    for (label, variant), n in sorted(
        customers.items(), key=lambda cell: (places.get(cell[0][0], len(places)), cell[0])
    ):
        found.setdefault(label, {})[keys[variant]] = sums.statistic_of(n, added[label, variant])
    return found
