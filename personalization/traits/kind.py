"""What a kind of computed trait is: a formula in words, and values for some customers.

Adding one is one file in `kinds/`.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from personalization.events.models import Event
from personalization.traits.models import TraitDefinition

Values = Mapping[int, Any]


class TraitKind(ABC):
    """`value_type`: number, text, time. `uses`: which fields of the definition it reads besides its kind.

    `learns`: it first learns something of all customers (`learn`), again every `relearn_days`, and is then
    computed for everybody. `is_daily`: values move with time alone, so everybody is computed once a day.
    `is_prompt`: new events are worked into it within seconds instead of a minute.
    """

    name: ClassVar[str] = ""
    label: ClassVar[Any]
    value_type: ClassVar[str] = "number"
    uses: ClassVar[tuple[str, ...]] = ("event", "filter", "window_days")
    learns: ClassVar[bool] = False
    relearn_days: ClassVar[int] = 7
    is_daily: ClassVar[bool] = False
    is_prompt: ClassVar[bool] = False

    @property
    def too_little(self) -> str:
        """Why there is no value, to be kept (`kept_words`) when TooLittleData came without words."""
        return gettext_noop("Too little data to tell: it needs more customers who came back.")

    @abstractmethod
    def formula(self, definition: TraitDefinition) -> str:
        """How a value comes about, in a sentence or a formula for staff."""

    @abstractmethod
    def compute(self, definition: TraitDefinition, customer_ids: Sequence[int], *, now: datetime) -> Values:
        """JSON values by customer; one without a value is absent."""

    def learn(self, definition: TraitDefinition, *, now: datetime) -> dict[str, Any]:
        """What becomes the definition's `state`. Raises TooLittleData."""
        return {}

    def is_outdated(self, definition: TraitDefinition) -> bool:
        """Whether what was learned no longer holds, whenever that was."""
        return False

    def events(self, definition: TraitDefinition) -> tuple[str, ...]:
        """The names of the events it reads."""
        return (definition.event,)

    def traits(self, definition: TraitDefinition) -> tuple[str, ...]:
        """The names of the traits it reads; it then follows their changes instead of events."""
        return ()

    def boundaries(self, definition: TraitDefinition) -> tuple[int, ...]:
        """After how many days an event counts otherwise, so that its customer is computed again."""
        return (definition.window_days,) if definition.window_days else ()


def read_events(
    definition: TraitDefinition, customer_ids: Sequence[int] | None, *, now: datetime
) -> QuerySet[Event]:
    """The definition's events of these customers (None: of all)."""
    events = Event.objects.filter(name=definition.event, occurred_at__lte=now)
    if customer_ids is not None:
        events = events.filter(customer_id__in=customer_ids)
    if definition.window_days:
        events = events.filter(occurred_at__gt=now - timedelta(days=definition.window_days))
    wanted = dict(definition.filter)
    if category := wanted.pop("category", None):
        events = events.filter(item__categories__contains=[category])
    if wanted:
        events = events.filter(properties__contains=wanted)
    return events


def by_people(events: QuerySet[Event]) -> QuerySet[Event]:
    """Without opens and clicks that a machine made."""
    for mark in ("machine", "bot", "is_bot"):
        events = events.exclude(properties__contains={mark: True})
    return events


def in_words(definition: TraitDefinition) -> str:
    """Which events, for a formula: “Order Completed” of the last 90 days with color = red."""
    text = f"“{definition.event}”"
    if definition.window_days:
        days = definition.window_days
        text += " " + ngettext("of the last %(days)s day", "of the last %(days)s days", days) % {"days": days}
    if definition.filter:
        conditions = ", ".join(f"{name} = {value}" for name, value in sorted(definition.filter.items()))
        text += " " + _("with %(conditions)s") % {"conditions": conditions}
    return text
