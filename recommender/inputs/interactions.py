"""From events to interactions: the only place where customers and items become row and column numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db.models import Case, F, FloatField, Sum, Value, When
from django.utils.timezone import localtime

from personalization.events.models import Event
from recommender.evaluation import Log
from recommender.inputs.event_columns import (
    CONTEXT,
    CONTEXT_QUERY,
    DEVICES,
    EVENTS_QUERY,
    PAIR,
    RATINGS_QUERY,
    copy_out,
)

DEFAULT_EVENT_WEIGHTS = {"Order Line": 1.0, "Product Added": 0.3, "Product Viewed": 0.1}
BOUGHT_EVENTS = ("Order Line",)
RATED_EVENT = "Product Rated"
# Labels of the context columns; a model keeps them, and serving names the same.
DAYPARTS = ("night", "morning", "afternoon", "evening")  # six hours each, from midnight
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
# Quarters of the year: which one is summer depends on where the customers live; a model need not know.
SEASONS = ("q1", "q2", "q3", "q4")


@dataclass(frozen=True)
class EventLog:
    """`log` in row and column numbers; `customer_ids[row]` and `item_ids[column]` say who and what
    (ascending).
    """

    log: Log
    customer_ids: npt.NDArray[np.int64]
    item_ids: npt.NDArray[np.int64]


def load_events(
    *,
    event_weights: Mapping[str, float] | None = None,
    until: datetime | None = None,
    with_context: bool = False,
) -> EventLog:
    """All events on items that `event_weights` names. Memory: about 30 bytes an event, flat while
    reading.

    With `with_context`, the log has the columns daypart, weekday and season (in the time zone that the
    event names, else the shop's) and device, as words.
    """
    weights = dict(DEFAULT_EVENT_WEIGHTS if event_weights is None else event_weights)
    query = CONTEXT_QUERY if with_context else EVENTS_QUERY
    kinds = {**PAIR, "event": ">i8", **(CONTEXT if with_context else {})}
    columns = copy_out(query, kinds, names=list(weights), until=until)
    factors = np.array([0.0, *weights.values()], dtype=np.float32)
    context = _context(columns) if with_context else {}
    return _event_log(columns, factors[columns["event"]], context)


def context_at(moment: datetime) -> dict[str, str]:
    """What is known of the context of a list made then, in the words of `load_events`: daypart, weekday
    and season, in the shop's time zone.
    """
    local = localtime(moment)
    return {
        "daypart": DAYPARTS[local.hour // 6],
        "weekday": WEEKDAYS[local.weekday()],
        "season": SEASONS[(local.month - 1) // 3],
    }


def load_ratings(*, until: datetime | None = None) -> EventLog:
    """The rating of every `Product Rated` event, from its property `rating` or else its value; events with
    neither are left out. What models of explicit ratings learn from.
    """
    columns = copy_out(RATINGS_QUERY, {**PAIR, "rating": ">f8"}, names=[RATED_EVENT], until=until)
    return _event_log(columns, columns["rating"].astype(np.float32), {})


def _event_log(
    columns: dict[str, npt.NDArray[Any]],
    weights: npt.NDArray[np.float32],
    context: dict[str, npt.NDArray[Any]],
) -> EventLog:
    customer_ids, users = np.unique(columns["customer"], return_inverse=True)
    item_ids, items = np.unique(columns["item"], return_inverse=True)
    log = Log(users, items, weights, columns["at"], (len(customer_ids), len(item_ids)), context)
    return EventLog(log, customer_ids, item_ids)


def _context(columns: dict[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
    return {
        "daypart": np.array(DAYPARTS)[columns["hour"] // 6],
        "weekday": np.array(WEEKDAYS)[columns["weekday"] - 1],  # ISO: Monday is 1
        "season": np.array(SEASONS)[columns["quarter"] - 1],
        "device": np.array(DEVICES)[columns["device"]],
    }


def popular_items(
    *, event_weights: Mapping[str, float], since: datetime, limit: int
) -> list[tuple[int, float]]:
    """Item ids with the sum of their event weights since a moment, most first."""
    weight = Case(
        *(When(name=name, then=Value(float(value))) for name, value in event_weights.items()),
        output_field=FloatField(),
    )
    return list(
        Event.objects.filter(name__in=list(event_weights), occurred_at__gte=since, item__isnull=False)
        .order_by()
        .values_list("item_id")
        .annotate(weight=Sum(weight))
        .order_by(F("weight").desc(), "item_id")[:limit]
    )
