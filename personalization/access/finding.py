"""Finding anything by its name from every page, from all rooms.

A room adds to it by naming subclasses of `FindSource` in `find_sources` of its app configuration: this room
knows none of them.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

from django.apps import apps
from django.db.models import Model, Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.module_loading import import_string

MOST_OF_A_KIND = 5
MOST_WORDS = 4


@dataclass(frozen=True)
class Found:
    title: str
    url: str
    note: str = ""


@dataclass(frozen=True)
class FoundKind:
    """What one source found, best first, never empty."""

    label: Any
    icon: str
    found: tuple[Found, ...]


class FindSource(ABC):
    """One kind of things with a name. Adding one is one class; `permission` is what staff need to see it."""

    label: ClassVar[Any]
    icon: ClassVar[str]
    permission: ClassVar[str | None]

    @abstractmethod
    def find(self, request: HttpRequest, words: list[str], *, limit: int) -> Iterable[Found]:
        """At most `limit` things whose name holds every word; words are never empty."""


class NamedRows(FindSource):
    """Rows of a table whose names hold the words, newest first. `url` is the name of the page about one."""

    model: ClassVar[type[Model]]
    url: ClassVar[str]
    url_field: ClassVar[str] = "pk"
    name_fields: ClassVar[tuple[str, ...]] = ("name",)

    def find(self, request: HttpRequest, words: list[str], *, limit: int) -> Iterable[Found]:
        rows = self.model._default_manager.all()
        for word in words:
            holds = Q()
            for name in self.name_fields:
                holds |= Q(**{f"{name}__icontains": word})
            rows = rows.filter(holds)
        for row in rows.order_by("-pk")[:limit]:
            yield Found(
                self.title(row), reverse(self.url, args=[getattr(row, self.url_field)]), self.note(row)
            )

    def title(self, row: Any) -> str:
        return str(getattr(row, self.name_fields[0]) or row)

    def note(self, row: Any) -> str:
        return ""


@cache
def find_sources() -> tuple[FindSource, ...]:
    names = (name for app in apps.get_app_configs() for name in getattr(app, "find_sources", ()))
    return tuple(import_string(name)() for name in names)


def find(request: HttpRequest, text: str) -> list[FoundKind]:
    """What this member of staff may see of the things whose names hold all words of the text."""
    words = text.replace("\0", "").split()[:MOST_WORDS]
    if not words:
        return []
    kinds = []
    for source in find_sources():
        if source.permission and not request.user.has_perm(source.permission):
            continue
        if found := tuple(source.find(request, words, limit=MOST_OF_A_KIND)):
            kinds.append(FoundKind(source.label, source.icon, found))
    return kinds
