"""Profiles as numbers: what customers did and what is known of them, one row each.

Which columns there are is chosen once from a sample and kept with the model (`Plan`); values are read for
some thousand customers at a time, so memory does not grow with the shop.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import msgspec
import numpy as np
from django.db import connection

from personalization.segments.discovery.scaling import Table

MOST_CATEGORIES = 8
MOST_TRAITS = 12
MOST_MARKS = 12
COMMON = 0.5  # a trait is a column when so large a share of customers has it
# Traits of our own that only repeat when something was computed, or for whom.
OWN = ("group_", "alike_")
MARKED_COLUMNS = ("language", "country")
BEHAVIOR = ("recency", "purchases", "spent", "average", "activity", "tenure")
OF_PURCHASES = ("recency", "purchases", "spent", "average")
COUNTS = ("purchases", "activity")


@dataclass(frozen=True)
class Plan:
    """`left_out`: behavior that must not be used, because the question itself is about it.

    `marks`: (trait, value) pairs that one either has or not.
    """

    purchase_event: str
    categories: list[str] = field(default_factory=list)
    traits: list[str] = field(default_factory=list)
    marks: list[tuple[str, str]] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        """Of the columns, in their order."""
        return [
            *(name for name in BEHAVIOR if name not in self.left_out),
            *(f"share:{name}" for name in self.categories),
            *(f"trait:{name}" for name in self.traits),
            *(f"mark:{name}={value}" for name, value in self.marks),
        ]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Profile:
    traits: Mapping[str, Any]
    numbers: Mapping[str, float]
    shares: Mapping[str, int]


def make_plan(
    profiles: Collection[Profile], *, purchase_event: str, left_out: Collection[str] = (),
    hidden_traits: Collection[str] = (), with_marks: bool = False,
) -> Plan:  # fmt: skip
    """From a sample. `hidden_traits`: those the question itself is about."""
    enough = COMMON * len(profiles)
    numeric: Counter[str] = Counter()
    texts: Counter[tuple[str, str]] = Counter()
    interest: Counter[str] = Counter()
    for profile in profiles:
        interest.update(profile.shares.keys())
        for name, value in profile.traits.items():
            if name.startswith(OWN) or name in hidden_traits:
                continue
            if isinstance(value, int | float) and not isinstance(value, bool):
                numeric[name] += 1
            elif isinstance(value, str | bool) and value != "" and len(str(value)) <= 40:
                texts[name, str(value)] += 1
    known = sorted(name for name, number in numeric.items() if number >= enough)
    few, most = 0.02 * len(profiles), 0.98 * len(profiles)
    marks = [pair for pair, number in texts.most_common() if few <= number <= most]
    return Plan(
        purchase_event=purchase_event,
        categories=[name for name, number in interest.most_common(MOST_CATEGORIES) if number >= few],
        traits=known[:MOST_TRAITS],
        marks=sorted(marks[:MOST_MARKS]) if with_marks else [],
        left_out=sorted(left_out),
    )


def make_table(profiles: Sequence[Profile], plan: Plan, *, spread: int | None = None) -> Table:
    """(customers, columns), NaN for unknown. `spread`: seeds a fraction added to counts, so that the steps
    between whole numbers are not taken for gaps between groups; without it, one half is added."""
    table = np.full((len(profiles), len(plan.names)), np.nan)
    fraction = (
        np.full(table.shape, 0.5) if spread is None else np.random.default_rng(spread).random(table.shape)
    )
    marks = {(name, value): f"mark:{name}={value}" for name, value in plan.marks}
    place = {name: at for at, name in enumerate(plan.names)}
    for row, profile in enumerate(profiles):
        for name, value in profile.numbers.items():
            if name in place:
                more = fraction[row, place[name]] if name in COUNTS else 0.0
                table[row, place[name]] = value + more
        total = sum(profile.shares.values())
        for name in plan.categories:
            table[row, place[f"share:{name}"]] = profile.shares.get(name, 0) / total if total else 0.0
        for name in plan.traits:
            known = profile.traits.get(name)
            if isinstance(known, int | float) and not isinstance(known, bool):
                table[row, place[f"trait:{name}"]] = known
        for (name, wanted), column in marks.items():
            table[row, place[column]] = float(str(profile.traits.get(name, "")) == wanted)
    return table


def read_profiles(customer_ids: Sequence[int], *, purchase_event: str, now: datetime) -> dict[int, Profile]:
    """Of those that still exist. Only what happened until `now` counts."""
    places: dict[str, Any] = {"ids": list(customer_ids), "purchase": purchase_event, "now": now}
    shares: dict[int, dict[str, int]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_SHARES, places)
        for customer_id, category, number in cursor.fetchall():
            shares.setdefault(customer_id, {})[category] = number
        cursor.execute(_PROFILES, places)
        rows = cursor.fetchall()
    found = {}
    for pk, traits, language, country, tenure, recency, purchases, spent, activity in rows:
        numbers = {
            "tenure": float(tenure), "recency": float(tenure if recency is None else recency),
            "purchases": float(purchases), "spent": float(spent), "activity": float(activity),
            "average": float(spent) / purchases if purchases else 0.0,
        }  # fmt: skip
        own = dict(zip(MARKED_COLUMNS, (language, country), strict=True))
        found[pk] = Profile({**_decoded(traits), **own}, numbers, shares.get(pk, {}))
    return found


def _decoded(traits: Any) -> dict[str, Any]:
    return msgspec.json.decode(traits) if isinstance(traits, str) else traits


# Purchases of a year; activity is everything of 30 days.
_PROFILES = """
    SELECT c.id, c.traits::text, c.language, c.country,
        greatest(extract(epoch FROM %(now)s - c.created_at) / 86400, 0),
        extract(epoch FROM %(now)s - e.last) / 86400, coalesce(e.purchases, 0), coalesce(e.spent, 0),
        coalesce(e.activity, 0)
    FROM customers_customer AS c LEFT JOIN (
        SELECT customer_id,
            max(occurred_at) FILTER (WHERE name = %(purchase)s) AS last,
            count(*) FILTER (WHERE name = %(purchase)s AND occurred_at > %(now)s - interval '365 days')
                AS purchases,
            sum(value) FILTER (WHERE name = %(purchase)s AND occurred_at > %(now)s - interval '365 days')
                AS spent,
            count(*) FILTER (WHERE occurred_at > %(now)s - interval '30 days') AS activity
        FROM events_event WHERE customer_id = ANY(%(ids)s) AND occurred_at <= %(now)s GROUP BY customer_id
    ) AS e ON e.customer_id = c.id
    WHERE c.id = ANY(%(ids)s) AND c.merged_into_id IS NULL AND c.erased_at IS NULL
    ORDER BY c.id
"""
_SHARES = """
    SELECT e.customer_id, i.categories[1], count(*)
    FROM events_event AS e JOIN catalog_item AS i ON i.id = e.item_id
    WHERE e.customer_id = ANY(%(ids)s) AND e.occurred_at <= %(now)s AND i.categories[1] <> ''
        AND e.occurred_at > %(now)s - interval '365 days'
    GROUP BY 1, 2
"""
