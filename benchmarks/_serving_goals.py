"""What serving promised, each figure beside its goal."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

LISTS_PER_SECOND = 100_000 / 30
MILLISECONDS = 50
# More than that for ten times the customers would be growth; less is how the pieces happen to fall.
MIB = 64
FOLDED_IN, DIVERSITY, NDCG = 0.98, 1.2, 0.95


class Goal(NamedTuple):
    what: str
    value: float
    goal: str
    is_reached: bool


def goals(figures: Mapping[str, Any], ratios: Mapping[str, float], models: tuple[str, ...]) -> Iterator[Goal]:
    for name in models:
        made, peaks = figures[name], list(figures[name]["peak_mib"].values())
        speed = made["lists_per_second"]
        yield at_least(f"{name}: lists a second", speed, LISTS_PER_SECOND)
        yield at_most(f"{name}: MiB more for ten times the customers", peaks[1] - peaks[0], MIB)
    one = figures["one_customer"]
    for what in ("selectors", "endpoint", "after_a_change_of_stock"):
        yield at_most(f"one customer, {what}: p95, ms", one[what]["p95"], MILLISECONDS)
    yield at_most("events of a second ago that a list missed", one["fresh_events_missed"], 0)
    yield at_most(f"leaks in {figures['leaks']['lists']:,} lists", figures["leaks"]["leaks"], 0)
    for what, value in ratios.items():
        least = {"folded": FOLDED_IN, "diversity at": DIVERSITY, "ndcg at": NDCG}
        for words, goal in least.items():
            if words in what:
                yield at_least(what, value, goal)


def at_least(what: str, value: float, goal: float) -> Goal:
    return Goal(what, value, f"at least {goal:,.6g}", value >= goal)


def at_most(what: str, value: float, goal: float) -> Goal:
    return Goal(what, value, f"at most {goal:,.6g}", value <= goal)


def show(found: list[Goal]) -> None:
    for goal in found:
        print(
            f"{goal.what}: {goal.value:,.4g} ({goal.goal}): {'reached' if goal.is_reached else 'NOT REACHED'}"
        )
