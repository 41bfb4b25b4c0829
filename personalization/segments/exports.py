"""A segment's people and their events for analysts: pseudonyms instead of identifiers, as CSV, line by line.

A pseudonym is the same in every export, so that files can be joined; whoever holds ADDRESS_KEY can tell whose
it is. The files stay personal data in the sense of the law, but name nobody: no address, no property,
and only traits that were declared as not personal or are computed.
"""

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from personalization.access.problems import ProblemError
from personalization.customers.declarations import Sensitivity, TraitDeclaration
from personalization.customers.models import Customer
from personalization.customers.pseudonyms import pseudonym
from personalization.events.models import Event
from personalization.privacy.floor import smallest_cell
from personalization.segments import selectors
from personalization.segments.definition import DefinitionError
from personalization.segments.models import ExportKind, Segment
from personalization.spreadsheet import safe_cell
from personalization.traits.models import TraitDefinition

PLACES = "last_context"  # this kind of computed trait may be a city
CHUNK = 2_000


class ExportRefused(ProblemError):
    status = 409
    slug = "segment-not-exported"
    title = gettext_lazy("The segment cannot be exported")


def members_to_export(segment: Segment, *, now: datetime) -> QuerySet[Customer]:
    """Raises ExportRefused, also for fewer people than the floor."""
    version = segment.versions.order_by("-number").first()
    if version is None:
        raise ExportRefused(_("It has no definition yet."))
    try:
        members = selectors.members(version, now=now).order_by("pk")
    except DefinitionError:
        raise ExportRefused(_("This version cannot be read any more.")) from None
    if members.count() < smallest_cell():
        raise ExportRefused(_("It has fewer than %(least)s members.") % {"least": smallest_cell()})
    return members


def export_rows(members: QuerySet[Customer], what: str) -> tuple[int, Iterator[list[Any]]]:
    """The names of the columns and then the rows, and how many there are about."""
    if what == ExportKind.CUSTOMERS:
        return members.count(), _customers(members)
    events = Event.objects.filter(customer_id__in=members.order_by().values("pk"))
    return events.count(), _events(events)


def line_of(row: list[Any]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow([safe_cell(cell) for cell in row])
    return text.getvalue()


def _customers(members: QuerySet[Customer]) -> Iterator[list[Any]]:
    names = _plain_traits()
    yield ["customer", "country", "language", "known_since", *names]
    rows = members.values_list("pk", "country", "language", "created_at", "traits")
    for pk, country, language, created_at, traits in rows.iterator(chunk_size=CHUNK):
        yield [pseudonym(pk), country, language, f"{created_at:%Y-%m}", *(traits.get(name) for name in names)]


def _events(events: QuerySet[Event]) -> Iterator[list[Any]]:
    yield ["customer", "event", "day", "item", "value"]
    columns = ("customer_id", "name", "occurred_at", "item__external_id", "value")
    for pk, name, at, item, value in events.values_list(*columns).iterator(chunk_size=CHUNK):
        yield [pseudonym(pk), name, f"{at:%Y-%m-%d}", item, value]


def _plain_traits() -> list[str]:
    ordinary = TraitDeclaration.objects.filter(sensitivity=Sensitivity.ORDINARY, is_encrypted=False)
    computed = TraitDefinition.objects.filter(is_active=True).exclude(kind=PLACES)
    return sorted({*ordinary.values_list("name", flat=True), *computed.values_list("name", flat=True)})
