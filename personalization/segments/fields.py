"""What can be asked: the traits, events and properties that are really there, with example values.

Read from samples, so that it stays fast on large tables, and cached briefly. Values that may name a person
(seen only once, or long) are never suggested.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.core.cache import cache

from personalization.catalog.models import Item
from personalization.customers.models import Customer
from personalization.events.models import Event
from personalization.segments.definition import DATE_TRAITS, TEXT_TRAITS

CUSTOMER_SAMPLE = 3_000
ITEM_SAMPLE = 5_000
EVENT_SAMPLE = 300
MAX_EVENT_NAMES = 200
COUNT_LIMIT = 10_000
EXAMPLES = 60
CACHE_SECONDS = 60
SUGGESTED_COLUMNS = ("language", "country", "city", "time_zone")


def known_fields(*, now: datetime) -> dict[str, Any]:
    """{"traits": [{name, kind, examples, standard}], "events": [{name, recent, properties: [{name, kind,
    examples}]}], "item": {category, brand}}; `recent` counts the last 90 days, up to COUNT_LIMIT."""
    known = cache.get("segments:fields")
    if known is None:
        known = {"traits": _traits(), "events": _events(now), "item": _items()}
        cache.set("segments:fields", known, CACHE_SECONDS)
    return known


def known_traits() -> list[dict[str, Any]]:
    """Those of `known_fields` alone: the events are dearer to look through."""
    known: list[dict[str, Any]] | None = cache.get("segments:traits")
    if known is None:
        known = _traits()
        cache.set("segments:traits", known, CACHE_SECONDS)
    return known


def _traits() -> list[dict[str, Any]]:
    columns: dict[str, Counter[str]] = {name: Counter() for name in SUGGESTED_COLUMNS}
    sampled: list[Mapping[str, Any]] = []
    for row in Customer.objects.order_by("-pk").values(*SUGGESTED_COLUMNS, "traits")[:CUSTOMER_SAMPLE]:
        sampled.append(row["traits"])
        for name in SUGGESTED_COLUMNS:
            if row[name]:
                columns[name][row[name]] += 1
    standard = [
        {"name": name, "kind": "date" if name in DATE_TRAITS else "text", "standard": True,
         "examples": _examples(columns.get(name, Counter()))}
        for name in (*TEXT_TRAITS, *DATE_TRAITS)
    ]  # fmt: skip
    return standard + [{**found, "standard": False} for found in _keys(sampled)]


def _events(now: datetime) -> list[dict[str, Any]]:
    found = []
    for name in event_names():
        recent = Event.objects.filter(name=name, occurred_at__gte=now - timedelta(days=90))
        newest = Event.objects.filter(name=name).order_by("-occurred_at")
        rows = newest.values_list("properties", flat=True)[:EVENT_SAMPLE]
        counted = recent.values("occurred_at")[:COUNT_LIMIT].count()
        found.append({"name": name, "recent": counted, "properties": _keys(rows)})
    return found


def event_names() -> list[str]:
    """Each name costs one step in the index (name, occurred_at), however many events there are."""
    names: list[str] = []
    last = ""
    while len(names) < MAX_EVENT_NAMES:
        following = Event.objects.filter(name__gt=last).order_by("name").values_list("name", flat=True)
        last = following.first() or ""
        if not last:
            break
        names.append(last)
    return names


def _items() -> dict[str, list[str]]:
    categories: Counter[str] = Counter()
    brands: Counter[str] = Counter()
    rows = Item.objects.order_by("-pk").values_list("categories", "brand")[:ITEM_SAMPLE]
    for names, brand in rows:
        categories.update(names)
        if brand:
            brands[brand] += 1
    return {"category": _examples(categories, least=1, most=300), "brand": _examples(brands, least=1)}


def _keys(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The keys of JSON objects with the kind of their values, most frequent first."""
    values: defaultdict[str, Counter[str]] = defaultdict(Counter)
    kinds: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        for key, value in row.items():
            kinds[key][_kind(value)] += 1
            if isinstance(value, str | int | float):
                values[key][str(value).lower() if isinstance(value, bool) else str(value)] += 1
    ordered = sorted(kinds, key=lambda key: (-kinds[key].total(), key))[:MAX_EVENT_NAMES]
    return [
        {"name": key, "kind": kinds[key].most_common(1)[0][0], "examples": _examples(values[key])}
        for key in ordered
    ]


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "yes_no"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return (
            "date" if len(value) >= 10 and value[4:5] == value[7:8] == "-" and value[:4].isdigit() else "text"
        )
    return "other"


def _examples(counts: Counter[str], *, least: int = 2, most: int = EXAMPLES) -> list[str]:
    common = [value for value, n in counts.most_common(most) if n >= least and len(value) <= 60 and value]
    return sorted(common)
