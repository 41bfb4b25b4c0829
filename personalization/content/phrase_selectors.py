"""Reads of phrase sets: those in use, and those that messages name, as a launch freezes them."""

from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery

from personalization.content.models import PhraseSet, PhraseVersion
from personalization.content.phrases import names_in

FROZEN = ("number", "texts", "language", "memory")


def phrase_sets() -> QuerySet[Any]:
    """Those in use, with `number`, `texts`, `language`, `memory` and `changed_at` of the newest version."""
    newest = PhraseVersion.objects.filter(phrase_set=OuterRef("pk")).order_by("-number")
    return PhraseSet.objects.filter(archived_at=None).annotate(
        **{name: Subquery(newest.values(name)[:1]) for name in FROZEN},
        changed_at=Subquery(newest.values("created_at")[:1]),
    )


def frozen(version: Any) -> dict[str, Any]:
    """Of a version, or of a row of `phrase_sets`."""
    return {
        "version": version.number, "texts": version.texts, "language": version.language,
        "memory": version.memory,
    }  # fmt: skip


def phrases_named(*sources: str) -> dict[str, dict[str, Any]]:
    """Every phrase set that the sources name; no query when they name none."""
    wanted = names_in(*sources)
    if not wanted:
        return {}
    return {row.name: frozen(row) for row in phrase_sets().filter(name__in=wanted)}
