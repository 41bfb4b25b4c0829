"""From events to interactions: the only place where customers and items become row and column numbers."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
from django.db import connection
from django.db.models import BooleanField, Case, Exists, F, FloatField, OuterRef, Sum, Value, When
from django.db.models.aggregates import Aggregate

from personalization.catalog.models import Item
from personalization.events.models import Event
from recommender.evaluation import Log

DEFAULT_EVENT_WEIGHTS = {"Order Line": 1.0, "Product Added": 0.3, "Product Viewed": 0.1}
BOUGHT_EVENTS = ("Order Line",)
ROWS_PER_BLOCK = 50_000

# One row of a binary COPY of four bigints: field count, then length and value of each.
_ROW = np.dtype(
    [("fields", ">i2")]
    + [part for name in ("customer", "item", "event", "at") for part in ((f"{name}_n", ">i4"), (name, ">i8"))]
)
_HEADER_BYTES = 19
_NAMES = ("customer", "item", "event", "at")


@dataclass(frozen=True)
class EventLog:
    """`log` in row and column numbers; `customer_ids[row]` and `item_ids[column]` say who and what
    (ascending).
    """

    log: Log
    customer_ids: npt.NDArray[np.int64]
    item_ids: npt.NDArray[np.int64]


def load_events(
    *, event_weights: Mapping[str, float] | None = None, until: datetime | None = None
) -> EventLog:
    """All events on items that `event_weights` names. Memory: about 30 bytes an event, flat while
    reading.
    """
    weights = dict(DEFAULT_EVENT_WEIGHTS if event_weights is None else event_weights)
    columns = _copy_out(list(weights), until)
    customer_ids, users = np.unique(columns["customer"], return_inverse=True)
    item_ids, items = np.unique(columns["item"], return_inverse=True)
    factors = np.array([0.0, *weights.values()], dtype=np.float32)
    log = Log(
        users, items, factors[columns["event"]], columns["at"], shape=(len(customer_ids), len(item_ids))
    )
    return EventLog(log, customer_ids, item_ids)


def _copy_out(names: list[str], until: datetime | None) -> dict[str, npt.NDArray[np.int64]]:
    """Binary COPY into numpy: no Python object per row, in an order that does not depend on the table's."""
    query = """
        COPY (
            SELECT event.customer_id::bigint, event.item_id::bigint,
                   array_position(%(names)s::text[], event.name::text)::bigint,
                   extract(epoch FROM event.occurred_at)::bigint
            FROM events_event event JOIN catalog_item item ON item.id = event.item_id
            WHERE event.name = ANY(%(names)s)
              AND (%(until)s::timestamptz IS NULL OR event.occurred_at < %(until)s)
        ) TO STDOUT (FORMAT binary)
    """
    blocks: dict[str, list[npt.NDArray[np.int64]]] = {name: [] for name in _NAMES}
    pending, n_rows = bytearray(), 0
    connection.ensure_connection()
    # The driver's own cursor: Django's, when it logs queries (DEBUG), takes no parameters for COPY.
    with (
        connection.connection.cursor() as cursor,
        cursor.copy(query, {"names": names, "until": until}) as copy,
    ):
        header = _HEADER_BYTES
        for data in copy:
            pending += data
            n_rows += 1
            if n_rows % ROWS_PER_BLOCK == 0:
                header = _take(pending, header, blocks)
        _take(pending, header, blocks)
    return {name: np.concatenate(parts) for name, parts in blocks.items()}


def _take(pending: bytearray, header: int, blocks: dict[str, list[npt.NDArray[np.int64]]]) -> int:
    """Moves the whole rows of `pending` into arrays, leaves the rest; answers the header bytes still to
    skip.
    """
    if len(pending) < header:
        return header
    whole = (len(pending) - header) // _ROW.itemsize
    rows = np.frombuffer(bytes(pending[header : header + whole * _ROW.itemsize]), dtype=_ROW)
    for name in _NAMES:
        blocks[name].append(rows[name].astype(np.int32 if name == "event" else np.int64))
    del pending[: header + whole * _ROW.itemsize]
    return 0


class _BoolOr(Aggregate):
    function = "BOOL_OR"
    output_field = BooleanField()


@dataclass(frozen=True)
class History:
    """What one customer did: weight by item id (undamped), and the items bought."""

    weights: dict[int, float]
    bought: set[int]


def load_histories(
    customer_ids: Collection[int], *, event_weights: Mapping[str, float]
) -> dict[int, History]:
    """In one query, with every event up to now; a customer without events has an empty history."""
    weight = Case(
        *(When(name=name, then=Value(float(value))) for name, value in event_weights.items()),
        default=Value(0.0),
        output_field=FloatField(),
    )
    rows = (
        Event.objects.filter(
            customer_id__in=list(customer_ids), name__in={*event_weights, *BOUGHT_EVENTS}, item__isnull=False
        )
        .filter(Exists(Item.objects.filter(pk=OuterRef("item_id"))))
        .order_by()
        .values_list("customer_id", "item_id")
        .annotate(
            weight=Sum(weight),
            bought=_BoolOr(
                Case(When(name__in=BOUGHT_EVENTS, then=True), default=False, output_field=BooleanField())
            ),
        )
    )
    histories = {customer: History({}, set()) for customer in customer_ids}
    for customer, item, total, bought in rows:
        if total > 0:
            histories[customer].weights[item] = total
        if bought:
            histories[customer].bought.add(item)
    return histories


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
