"""From the options of an import or a source to the importer that carries them out."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from personalization.catalog.importing import ItemImporter
from personalization.customers.declared import rules_of
from personalization.customers.importing import CustomerImporter
from personalization.events.identity import join_by_address
from personalization.events.importing import EventImporter, UnknownItems
from personalization.importing.pipeline import Importer
from personalization.importing.values import time_zone
from personalization.sources.errors import InvalidOptions
from personalization.sources.models import Kind

UNKNOWN_ITEMS = ("reject", "create")


def importer_for(kind: str, options: Mapping[str, Any]) -> Importer:
    """`options`: columns, event, unknown_items, time_zone, each with a default. Raises InvalidOptions."""
    name = options.get("time_zone") or "UTC"
    try:
        zone = time_zone(name)
    except ValueError:
        raise InvalidOptions(_("There is no time zone %(name)s.") % {"name": name}) from None
    if kind == Kind.CUSTOMERS:
        return CustomerImporter(zone=zone, rules=rules_of(), join=join_by_address)
    if kind == Kind.ITEMS:
        return ItemImporter()
    if kind != Kind.EVENTS:
        raise InvalidOptions(_("Only customers, items and events can be imported."))
    unknown: UnknownItems = options.get("unknown_items") or "reject"
    if unknown not in UNKNOWN_ITEMS:
        raise InvalidOptions(_("Unknown items are either rejected or created."))
    return EventImporter(event=options.get("event") or None, unknown_items=unknown, zone=zone)


def columns_of(options: Mapping[str, Any]) -> dict[str, list[str]]:
    """Field → columns. Raises InvalidOptions where the stored mapping has another shape."""
    columns = options.get("columns") or {}
    if not isinstance(columns, dict) or not all(
        isinstance(names, list) and all(isinstance(name, str) for name in names) for names in columns.values()
    ):
        raise InvalidOptions(_("The mapping wants, for each field, a list of columns."))
    return columns
