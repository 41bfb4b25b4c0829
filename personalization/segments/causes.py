"""What can bring a customer into a segment or out of it: which events, traits, and the mere passing of time.

From a parsed definition and those it refers to; no database.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from personalization.segments import nodes
from personalization.segments.operators import OPERATORS

RELATIVE = ("within_days", "more_than_days_ago", "in_next_days", "anniversary_in_days")


@dataclass(frozen=True)
class Causes:
    """`boundaries`: an event of this name changes something when it becomes so many days old.

    `by_clock`: dates of traits or properties change it, too; `by_rank`: everybody else's events do.
    """

    events: frozenset[str]
    boundaries: frozenset[tuple[str, Decimal]]
    traits: bool = False
    consent: bool = False
    by_clock: bool = False
    by_rank: bool = False


def causes_of(node: nodes.Node, inner: Callable[[int], nodes.Node]) -> Causes:
    """`inner` answers the definition of a segment that is referred to."""
    leaves = list(_leaves(node, inner))
    happenings = [one for leaf in leaves for one in _happenings(leaf)]
    tests = [leaf.test for leaf in leaves if isinstance(leaf, nodes.Trait)]
    tests += [part.test for _, where, _ in happenings for part in where]
    ranks = [leaf for leaf in leaves if isinstance(leaf, nodes.EventCondition)]
    return Causes(
        events=frozenset(name for names, _, _ in happenings for name in names),
        boundaries=frozenset(
            (name, days) for names, _, ages in happenings for name in names for days in ages
        ),
        traits=any(isinstance(leaf, nodes.Trait) for leaf in leaves),
        consent=any(isinstance(leaf, nodes.ConsentCondition) for leaf in leaves),
        by_clock=any(test.op in RELATIVE for test in tests),
        by_rank=any(leaf.test.op == "top_percent" for leaf in ranks),
    )


def _leaves(node: nodes.Node, inner: Callable[[int], nodes.Node]) -> Iterator[nodes.Node]:
    if isinstance(node, nodes.All | nodes.Any):
        for child in node.nodes:
            yield from _leaves(child, inner)
    elif isinstance(node, nodes.Not):
        yield from _leaves(node.node, inner)
    elif isinstance(node, nodes.Member):
        yield from _leaves(inner(node.segment_id), inner)
    else:
        yield node


Happening = tuple[tuple[str, ...], tuple[nodes.Filter, ...], list[Decimal]]


def _happenings(leaf: nodes.Node) -> Iterable[Happening]:
    """Names, filters, and the ages at which an event of these names begins or stops to count."""
    if isinstance(leaf, nodes.EventCondition):
        days = leaf.test.value
        is_age = OPERATORS[leaf.test.op].takes == "days"
        yield _measured(leaf.aggregate, [days] if is_age and isinstance(days, Decimal) else [])
    elif isinstance(leaf, nodes.Ratio):
        yield _measured(leaf.of, [])
        yield _measured(leaf.to, [])
    elif isinstance(leaf, nodes.Sequence):
        for place, step in enumerate(leaf.steps):
            ages = _edges(leaf.window) if place == 0 else [Decimal(0)]
            if not leaf.followed and place == len(leaf.steps) - 2:
                ages = [*ages, leaf.within_days]
            yield step.events, step.where, ages


def _measured(aggregate: nodes.Aggregate, ages: list[Decimal]) -> Happening:
    return aggregate.events, aggregate.where, [*_edges(aggregate.window), *ages]


def _edges(window: nodes.Window) -> list[Decimal]:
    """At 0 days what was dated in the future has happened."""
    bounds = (window.starts, window.ends)
    return [Decimal(0), *(bound for bound in bounds if isinstance(bound, Decimal))]


@dataclass(frozen=True)
class Asked:
    """What a definition asks about. `items`: it looks at the items of events, too."""

    events: frozenset[str]
    traits: frozenset[str]
    items: bool


def asked_about(node: nodes.Node, inner: Callable[[int], nodes.Node]) -> Asked:
    """`inner` as of `causes_of`."""
    leaves = list(_leaves(node, inner))
    happenings = [one for leaf in leaves for one in _happenings(leaf)]
    return Asked(
        events=frozenset(name for names, _, _ in happenings for name in names),
        traits=frozenset(leaf.name for leaf in leaves if isinstance(leaf, nodes.Trait)),
        items=any(part.place == "item" for _, where, _ in happenings for part in where),
    )
