"""Writes of the catalog."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from django.db import connection, transaction
from django.utils.translation import gettext as _

from personalization.access.known_fields import no_such_field
from personalization.catalog.importing import SCHEMA, ItemImporter
from personalization.importing.pipeline import Written
from personalization.importing.values import RowError, text

TEXTS = ("external_id", "name", "description", "brand", "currency", "url", "image_url")
FIELDS = (*ItemImporter.fields, "attributes")
ONLY_READ = ("id", "updated_at")


@dataclass
class Saved:
    """`rejected`: which, and why; given = new + changed + unchanged + rejected."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    rejected: list[tuple[int, str]] = field(default_factory=list)


def save_items(records: Sequence[Mapping[str, Any]]) -> Saved:
    """Adds items and changes known ones, as an import does: what is left out or empty stays, attributes come
    to those there are. Each record stands for itself.
    """
    importer, saved, taken = ItemImporter(), Saved(), []
    for index, record in enumerate(records):
        try:
            taken.append(importer.convert(*_values_of(record)))
        except RowError as error:
            saved.rejected.append((index, str(error)))
    with transaction.atomic():
        written = importer.write(pa.Table.from_pylist(taken, SCHEMA)) if taken else Written()
    saved.new, saved.changed = written.new, written.changed
    saved.unchanged = len(taken) - written.new - written.changed
    return saved


def _values_of(record: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Fields and attributes, by their own names only. Raises RowError."""
    for name, value in record.items():
        if name not in FIELDS and name not in ONLY_READ:
            raise RowError(f"{name}: {no_such_field(name, FIELDS)}")
        if name in TEXTS and not isinstance(value, str | int | float | None):
            raise RowError(_("%(name)s: not a text") % {"name": name})
    if not text(record.get("external_id"), name="external_id"):
        raise RowError(_("%(name)s: missing") % {"name": "external_id"})
    attributes = record.get("attributes") or {}
    if not isinstance(attributes, dict):
        raise RowError(_("%(name)s: not a JSON object") % {"name": "attributes"})
    return {name: record[name] for name in ItemImporter.fields if name in record}, attributes


def ensure_items(external_ids: Iterable[str]) -> int:
    """Creates items that are known by nothing but their id (which is also their name); answers how many.

    Sorted, so that concurrent imports wait for one another instead of deadlocking.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO catalog_item (external_id, name, description, categories, brand, currency,"
            " is_hidden, url, image_url, translations, attributes, created_at, updated_at)"
            " SELECT value, value, '', '{}', '', '', false, '', '', '{}', '{}', now(), now()"
            " FROM unnest(%s::text[]) AS value ON CONFLICT (external_id) DO NOTHING",
            [sorted(set(external_ids))],
        )
        return cursor.rowcount
