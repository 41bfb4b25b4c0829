"""Reads of blocks: those that messages name, with the texts of their newest versions."""

from collections.abc import Iterable
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery

from personalization.content.expanding import MAX_DEPTH, names_in
from personalization.content.models import BlockVersion, ContentBlock


def blocks() -> QuerySet[Any]:
    """Those in use, with `number`, `texts` and `changed_at` of the newest version."""
    newest = BlockVersion.objects.filter(block=OuterRef("pk")).order_by("-number")
    return ContentBlock.objects.filter(archived_at=None).annotate(
        number=Subquery(newest.values("number")[:1]),
        texts=Subquery(newest.values("texts")[:1]),
        changed_at=Subquery(newest.values("created_at")[:1]),
    )


def blocks_named(*sources: str) -> dict[str, dict[str, Any]]:
    """Version and texts of every block that the sources name, also through other blocks; one query for each
    depth, none when they name nothing."""
    found: dict[str, dict[str, Any]] = {}
    wanted = names_in(*sources)
    for _depth in range(MAX_DEPTH):
        if not wanted:
            break
        rows = list(blocks().filter(name__in=wanted).values_list("name", "number", "texts"))
        found.update({name: {"version": number, "texts": texts} for name, number, texts in rows})
        wanted = names_in(*_texts(rows)) - found.keys()
    return found


def _texts(rows: Iterable[tuple[str, int, dict[str, str]]]) -> list[str]:
    return [text for _name, _number, texts in rows for text in texts.values()]
