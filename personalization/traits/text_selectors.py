"""What the texts of a source tell, in numbers above the floor and sentences that name nobody."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils import timezone

from personalization.customers.models import Customer
from personalization.privacy.floor import small_cells
from personalization.traits.kinds._texts import people_floor, texts_of
from personalization.traits.models import TextSource, TraitDefinition
from personalization.traits.texts.topics import Topics

LOOKED_AT = 40
SENTENCES = 2
SHORTEST, LONGEST = 12, 220
MOST_VALUES = 30
MASK = "•••"
_NAMING = re.compile(r"\S+@\S+|(?:https?://|www\.)\S+|@\w+|\+?\d[\d\s().-]{2,}\d")
_END = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])|\n+")


@dataclass(frozen=True)
class Cell:
    """`customers`: None where it is too small to be told. `words`, `examples`: of a topic."""

    value: str
    customers: int | None
    words: list[str] = field(default_factory=list)
    examples: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Told:
    """One computed trait of a source. `held_out`: figures of its model on texts it had not seen."""

    trait: str
    kind: str
    problem: str
    learned_at: datetime | None
    cells: list[Cell]
    held_out: dict[str, float] | None = None
    stability: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Report:
    source: TextSource
    told: list[Told]
    people: list[int]  # whose sentences are shown


def read_report(source: TextSource, *, with_examples: bool) -> Report:
    """`with_examples`: sentences of topics, for callers who may see personal data."""
    told, people = [], []
    for definition in source.definitions.order_by("pk"):
        counts = {} if definition.kind == "text_keywords" else _counts(definition.name)
        cells = _cells(counts)
        if definition.kind == "text_topic" and definition.state.get("topics"):
            topics = Topics.of(definition.state["topics"])
            cells, shown = _topic_cells(definition, topics, counts, with_examples=with_examples)
            people += shown
        learned = definition.state.get("learned_at")
        told.append(
            Told(
                definition.name, definition.kind, definition.told_problem(),
                datetime.fromisoformat(learned) if learned else None, cells,
                definition.state.get("sentiment", {}).get("held_out"),
                definition.state.get("topics", {}).get("stability", {}),
            )
        )  # fmt: skip
    return Report(source, told, people)


def _counts(trait: str) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT traits ->> %(name)s, count(*) FROM customers_customer WHERE traits ? %(name)s"
            " AND merged_into_id IS NULL AND erased_at IS NULL GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT %(most)s",
            {"name": trait, "most": MOST_VALUES},
        )
        return dict(cursor.fetchall())


def _cells(counts: Mapping[str, int]) -> list[Cell]:
    hidden = small_cells(counts)
    return [Cell(value, None if value in hidden else n) for value, n in counts.items()]


def _topic_cells(
    definition: TraitDefinition, topics: Topics, counts: Mapping[str, int], *, with_examples: bool
) -> tuple[list[Cell], list[int]]:
    now_there = {name: counts.get(name, 0) for name in topics.names}
    hidden = small_cells(now_there)
    cells, people = [], []
    for at, (name, words) in enumerate(zip(topics.names, topics.top_words(), strict=True)):
        examples: list[str] = []
        if with_examples and name not in hidden and now_there[name] >= people_floor():
            examples, shown = _examples(definition, topics, at)
            people += shown
        cells.append(Cell(name, None if name in hidden else now_there[name], words, examples))
    return sorted(cells, key=lambda cell: -(cell.customers or 0)), people


def _examples(definition: TraitDefinition, topics: Topics, topic: int) -> tuple[list[str], list[int]]:
    """The sentences with most of the topic, of different customers, without names, numbers, addresses."""
    having = Customer.objects.filter(
        traits__contains={definition.name: topics.names[topic]}, merged_into=None, erased_at=None
    )
    people = {row.pk: row for row in having.only("first_name", "last_name").order_by("-pk")[:LOOKED_AT]}
    found = []
    for pk, texts in texts_of(definition, list(people), now=timezone.now()).items():
        sentences = [s.strip() for s in _END.split(texts[0].text) if SHORTEST <= len(s.strip()) <= LONGEST]
        if sentences:
            shares = topics.shares(sentences)[:, topic]
            best = int(shares.argmax())
            found.append((float(shares[best]), pk, mask_names(sentences[best], people[pk])))
    best_first = sorted(found, key=lambda one: (-one[0], one[1]))[:SENTENCES]
    return [text for _share, _pk, text in best_first], [pk for _share, pk, _text in best_first]


def mask_names(sentence: str, customer: Customer) -> str:
    """Without addresses, links, numbers and the customer's own name."""
    sentence = _NAMING.sub(MASK, sentence)
    for name in (customer.first_name, customer.last_name):
        if len(name) > 1:
            sentence = re.sub(re.escape(name), MASK, sentence, flags=re.IGNORECASE)
    return sentence


def as_document(report: Report) -> dict[str, Any]:
    """For the API."""
    source = report.source
    return {
        "name": source.name, "event": source.event, "property": source.property,
        "rating_property": source.rating_property, "rating_best": source.rating_best,
        "traits": [
            {
                "name": one.trait, "kind": one.kind, "problem": one.problem, "learned_at": one.learned_at,
                "held_out": one.held_out, "stability": one.stability,
                "values": [
                    {"value": cell.value, "customers": cell.customers, "words": cell.words,
                     "examples": cell.examples}
                    for cell in one.cells
                ],
            }
            for one in report.told
        ],
    }  # fmt: skip
