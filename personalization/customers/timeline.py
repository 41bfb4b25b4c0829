"""Everything that happened with one customer, newest first, from all rooms, page by page.

A room adds to it by naming subclasses of `TimelineSource` in `timeline_sources` of its app configuration:
this room knows none of them. Every page costs one query per kind, however long the history is.
"""

import base64
import heapq
import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import Any, ClassVar

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from personalization.access.problems import ProblemError


class InvalidCursor(ProblemError):
    slug = "invalid-cursor"
    title = _("This is no place in a timeline")


@dataclass(frozen=True)
class Entry:
    """`key` orders entries of one moment and source; `title` and `detail` are said in the active language;
    `data` is the same for programs."""

    kind: str
    at: datetime
    key: str
    title: str
    detail: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Place:
    """Where a page ended: the last entry it showed."""

    at: datetime
    kind: str
    key: str


class TimelineSource(ABC):
    """One kind of entries. Adding one is one class; `permission` is what staff need to see it."""

    kind: ClassVar[str]
    label: ClassVar[Any]
    permission: ClassVar[str]
    at_field: ClassVar[str]
    key_field: ClassVar[str] = "pk"

    @abstractmethod
    def rows(self, customer_id: int) -> QuerySet[Any]:
        """This customer's rows, with all that `tell` needs."""

    @abstractmethod
    def tell(self, row: Any) -> Entry: ...

    def read(self, customer_id: int, *, after: Place | None, limit: int) -> list[Entry]:
        rows = self.rows(customer_id)
        if after is not None:
            rows = rows.filter(**{f"{self.at_field}__lte": after.at})
            same = Q(**{self.at_field: after.at})
            if after.kind == self.kind:
                rows = rows.exclude(same & Q(**{f"{self.key_field}__gte": after.key}))
            elif self.kind > after.kind:  # of one moment, kinds come in reverse order of their names
                rows = rows.exclude(same)
        rows = rows.order_by(f"-{self.at_field}", f"-{self.key_field}")
        return [self.tell(row) for row in rows[:limit]]

    def entry(self, row: Model, title: object, detail: object = "", **data: Any) -> Entry:
        at, key = getattr(row, self.at_field), getattr(row, self.key_field)
        return Entry(self.kind, at, str(key), str(title), str(detail), data)


@cache
def timeline_sources() -> tuple[TimelineSource, ...]:
    """Of all rooms, in the order of their kinds."""
    names = [name for config in apps.get_app_configs() for name in getattr(config, "timeline_sources", ())]
    return tuple(sorted((import_string(name)() for name in names), key=lambda source: source.kind))


@dataclass(frozen=True)
class Page:
    """`next` is the cursor of what comes after, "" at the end."""

    entries: Sequence[Entry]
    next: str


def without_details(page: Page) -> Page:
    """What happened when, and nothing that may name the person: for staff who see masks."""
    return Page([replace(entry, detail="", data={}) for entry in page.entries], page.next)


def read_timeline(
    customer_id: int, *, kinds: Iterable[str] | None = None, cursor: str = "", limit: int = 50
) -> Page:
    """Entries of these kinds (None: all). Raises InvalidCursor."""
    wanted = None if kinds is None else set(kinds)
    after = _decode(cursor) if cursor else None
    streams = [
        source.read(customer_id, after=after, limit=limit + 1)
        for source in timeline_sources()
        if wanted is None or source.kind in wanted
    ]
    found = list(heapq.merge(*streams, key=lambda entry: (entry.at, entry.kind), reverse=True))
    entries = found[:limit]
    return Page(entries, _encode(entries[-1]) if len(found) > limit else "")


def _encode(entry: Entry) -> str:
    parts = json.dumps([entry.at.isoformat(), entry.kind, entry.key])
    return base64.urlsafe_b64encode(parts.encode()).decode().rstrip("=")


def _decode(cursor: str) -> Place:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        at, kind, key = json.loads(base64.urlsafe_b64decode(padded))
        moment = datetime.fromisoformat(at)
        source = next(source for source in timeline_sources() if source.kind == kind)
        field = source.rows(0).model._meta.get_field(source.key_field) if source.key_field != "pk" else None
        _ = field.to_python(key) if field else int(key)  # else the database would have to refuse it
    except (ValueError, TypeError, StopIteration, ValidationError):
        raise InvalidCursor from None
    if moment.tzinfo is None:
        raise InvalidCursor
    return Place(moment, kind, str(key))
