"""The texts of customers, read for the kinds that tell something of them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.db.models import F, QuerySet, Window
from django.db.models.functions import RowNumber
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from personalization.customers.models import Customer
from personalization.events.models import Event
from personalization.privacy.floor import smallest_cell
from personalization.traits.kind import TraitKind
from personalization.traits.models import TextSource, TraitDefinition
from personalization.traits.texts import Text

# Learned from the newest so many; of a customer the newest few are read, each up to so many characters.
MOST_TEXTS = 20_000
NEWEST = 5
LONGEST = 4_000
# With the floor of reports switched off, a word of one customer would still not be learned.
LEAST_PEOPLE = 3


class TextKind(TraitKind):
    """Reads the texts of its source. New ones are worked in within seconds."""

    value_type = "text"
    uses: ClassVar[tuple[str, ...]] = ("text_source", "window_days")
    is_prompt = True

    @property
    def too_little(self) -> str:
        return gettext_noop("Too few texts to tell yet.")

    def events(self, definition: TraitDefinition) -> tuple[str, ...]:
        source = source_of(definition)
        return (source.event,) if source.event else ()

    def traits(self, definition: TraitDefinition) -> tuple[str, ...]:
        source = source_of(definition)
        return () if source.event else (source.property,)


def source_of(definition: TraitDefinition) -> TextSource:
    """For a formula of a definition that is not stored, an empty one."""
    return definition.text_source or TextSource(name=definition.name, event="?", property="?")


def where(definition: TraitDefinition) -> str:
    """For a formula: “body” of “Review Submitted”."""
    source = source_of(definition)
    if source.event:
        return _("“%(property)s” of “%(event)s”") % {"property": source.property, "event": source.event}
    return _("the trait “%(trait)s”") % {"trait": source.property}


def people_floor() -> int:
    return max(smallest_cell(), LEAST_PEOPLE)


def newest_texts(definition: TraitDefinition, *, now: datetime, most: int = MOST_TEXTS) -> list[Text]:
    """Of everybody, for learning; the newest first."""
    source = source_of(definition)
    if not source.event:
        traits = _of_traits(source).order_by("-pk").values_list("pk", "traits")[:most]
        return [text for pk, values in traits if (text := _read(source, pk, values))]
    events = _of_events(definition, source, now=now).order_by("-occurred_at")
    rows = events.values_list("customer_id", "properties")[:most]
    return [text for pk, values in rows if (text := _read(source, pk, values))]


def texts_of(
    definition: TraitDefinition, customer_ids: Sequence[int], *, now: datetime
) -> Mapping[int, list[Text]]:
    """The newest few of each of these customers, the newest first."""
    source = source_of(definition)
    found: defaultdict[int, list[Text]] = defaultdict(list)
    rows: QuerySet[Any, Any]
    if not source.event:
        rows = _of_traits(source).filter(pk__in=customer_ids).values_list("pk", "traits")
    else:
        rows = _newest_events(definition, source, customer_ids, now=now)
    for pk, values in rows:
        if text := _read(source, pk, values):
            found[pk].append(text)
    return found


def _newest_events(
    definition: TraitDefinition, source: TextSource, customer_ids: Sequence[int], *, now: datetime
) -> QuerySet[Event, Any]:
    order = [F("occurred_at").desc(), F("message_key").asc()]
    place = Window(RowNumber(), partition_by=[F("customer_id")], order_by=order)
    events = _of_events(definition, source, now=now).filter(customer_id__in=customer_ids)
    newest = events.annotate(place=place).filter(place__lte=NEWEST).order_by("customer_id", "place")
    return newest.values_list("customer_id", "properties")


def _of_traits(source: TextSource) -> QuerySet[Customer]:
    return Customer.objects.filter(merged_into=None, erased_at=None, traits__has_key=source.property)


def _of_events(definition: TraitDefinition, source: TextSource, *, now: datetime) -> QuerySet[Event]:
    events = Event.objects.filter(
        name=source.event, occurred_at__lte=now, properties__has_key=source.property
    )
    if definition.window_days:
        events = events.filter(occurred_at__gt=now - timedelta(days=definition.window_days))
    return events


def _read(source: TextSource, customer_id: int, values: Mapping[str, Any]) -> Text | None:
    text = values.get(source.property)
    if not isinstance(text, str) or not text.strip():
        return None
    return Text(customer_id, text[:LONGEST], _rating(source, values.get(source.rating_property)))


def _rating(source: TextSource, stars: object) -> float | None:
    """0 to 1; None for what is no number of stars of this source."""
    try:
        number = float(stars)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    if not source.rating_property or isinstance(stars, bool) or not 1 <= number <= source.rating_best:
        return None
    return (number - 1) / (source.rating_best - 1)
