"""What visitors really saw and clicked: written down exactly once, beside the request and not inside it.

A report is put into a Redis stream; a worker moves what stands there into events, and only then takes it out.
Each has a message id of its own, so a report that is sent or moved twice counts once. Without Redis it is
written at once.
"""

import base64
import binascii
import hmac
import struct
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
import redis
import structlog
from django.conf import settings
from django.db import transaction

from campaigns.onsite.features import seen_as
from campaigns.onsite.models import Offer, Order
from experiments.assigning import assign_since
from experiments.exposures import EXPOSURE
from personalization.context import as_values
from personalization.customers import selectors as customers
from personalization.customers.contexts import context_of
from personalization.customers.declared import rules_of
from personalization.customers.services import resolve
from personalization.events.services import NewEvent, record_events

log = structlog.get_logger(__name__)
WAITING = "onsite:reports"
BATCH = 2_000
SEEN, CLICKED = "seen", "clicked"
EVENT = {SEEN: "Message Opened", CLICKED: "Message Clicked"}
# version, offer, index of the variant, customer (0: not known), milliseconds, random, chance
TOKEN = struct.Struct(">BQBQQ8sf")
MAC_BYTES = 16
VERSION = 2


@dataclass(frozen=True)
class Shown:
    """One decision that put something in front of somebody; what its token says."""

    offer_id: int
    variant: int
    customer_id: int
    at_ms: int
    nonce: bytes
    propensity: float

    @property
    def at(self) -> datetime:
        return datetime.fromtimestamp(self.at_ms / 1000, UTC)


class Report(msgspec.Struct, frozen=True):
    """`kind` is SEEN or CLICKED. The anonymous id stands beside the token, which holds none."""

    kind: str
    token: str
    at: datetime
    anonymous_id: str = ""
    device: str = ""


def sign(shown: Shown) -> str:
    payload = TOKEN.pack(
        VERSION, shown.offer_id, shown.variant, shown.customer_id, shown.at_ms, shown.nonce, shown.propensity
    )
    return base64.urlsafe_b64encode(payload + _mac(payload)).rstrip(b"=").decode()


def read(token: str) -> Shown | None:
    """None for anything that was not signed by us."""
    if len(token) > 200 or not token.isascii():
        return None
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    if len(raw) != TOKEN.size + MAC_BYTES or not hmac.compare_digest(
        raw[TOKEN.size :], _mac(raw[: TOKEN.size])
    ):
        return None
    version, *rest = TOKEN.unpack(raw[: TOKEN.size])
    return Shown(*rest) if version == VERSION else None


def _mac(payload: bytes) -> bytes:
    return hmac.digest(settings.LINK_KEY.encode(), b"bespoke onsite: " + payload, "sha256")[:MAC_BYTES]


def note(reports: Sequence[Report]) -> None:
    """Keeps reports for the next `move`; they survive this process."""
    if not reports:
        return
    try:
        if len(reports) == 1:
            _redis().xadd(WAITING, {"report": msgspec.json.encode(reports[0])})
            return
        with _redis().pipeline(transaction=True) as pipe:
            for one in reports:
                pipe.xadd(WAITING, {"report": msgspec.json.encode(one)})
            pipe.execute()
    except redis.RedisError:
        log.warning("reports_written_at_once", count=len(reports))
        write(reports)


def move(*, batches: int = 50) -> int:
    """Waiting reports into events; how many. Two at once, or one that is killed, do no harm."""
    client, moved = _redis(), 0
    for _ in range(batches):
        taken: Any = client.xrange(WAITING, count=BATCH)
        if not taken:
            break
        write([report for _, fields in taken if (report := _decode(fields)) is not None])
        client.xdel(WAITING, *(entry for entry, _ in taken))
        moved += len(taken)
    return moved


def _decode(fields: dict[bytes, bytes]) -> Report | None:
    try:
        return msgspec.json.decode(fields.get(b"report", b""), type=Report)
    except msgspec.MsgspecError:
        log.error("report_unreadable")
        return None


@transaction.atomic
def write(reports: Sequence[Report]) -> int:
    """Reports into events, and who was taken into which experiment; how many were new."""
    shown = [(report, found) for report in reports if (found := read(report.token)) is not None]
    offers = {
        offer.pk: offer
        for offer in Offer.objects.filter(pk__in={found.offer_id for _, found in shown}).select_related(
            "placement", "experiment__layer", "experiment__segment_version"
        )
    }
    shown = [(report, found) for report, found in shown if found.offer_id in offers]
    visitors = resolve(
        anonymous_ids={r.anonymous_id for r, f in shown if not f.customer_id and r.anonymous_id},
        at=min((r.at for r, _ in shown), default=None),
    ).visitors
    about = _seen_as([(r, f, offers[f.offer_id]) for r, f in shown], visitors)
    events: list[NewEvent] = []
    since: dict[int, dict[int, datetime]] = defaultdict(dict)
    for report, found in shown:
        customer_id = found.customer_id or visitors.get(report.anonymous_id)
        if customer_id is None:
            continue
        offer = offers[found.offer_id]
        events += _events(report, found, offer, customer_id, about.get(found.nonce))
        first = since[offer.pk].get(customer_id, found.at)
        since[offer.pk][customer_id] = min(first, found.at)
    for offer_id, people in since.items():
        experiment = offers[offer_id].experiment
        if experiment is not None and experiment.ended_at is None:
            assign_since(experiment, people, now=max(people.values()))
    return record_events(events)


def _seen_as(
    shown: Sequence[tuple[Report, Shown, Offer]], visitors: Mapping[str, int]
) -> dict[bytes, dict[str, Any]]:
    """By nonce, as what people were seen: only for lists that tell people apart, by what these name."""
    asked = [
        (report, found, offer.placement.tells_apart, found.customer_id or visitors.get(report.anonymous_id))
        for report, found, offer in shown
        if report.kind == SEEN and offer.placement.order == Order.INCREMENTAL and offer.placement.tells_apart
    ]
    if not asked:
        return {}
    # A trait may have been declared as encrypted since: it is not written anywhere else.
    declared = rules_of({name for _r, _f, names, _pk in asked for name in names})
    profiles = customers.profiles({pk for *_, pk in asked if pk is not None})
    known = {}
    for report, found, names, pk in asked:
        if pk in profiles:
            raw = {"device": {"type": report.device}} if report.device else {}
            situation = as_values(context_of(profiles[pk], at=found.at, raw=raw))
            known[found.nonce] = seen_as(
                profiles[pk],
                situation,
                [name for name in names if name not in declared or not declared[name].is_encrypted],
            )
    return known


def _events(
    report: Report, found: Shown, offer: Offer, customer_id: int, seen: dict[str, Any] | None
) -> list[NewEvent]:
    experiment = offer.experiment
    assert experiment is not None
    keys = list(experiment.variants.order_by("position").values_list("key", flat=True))
    variant = keys[found.variant] if found.variant < len(keys) else ""
    about = {
        "channel": "web", "offer": str(offer.pk), "placement": offer.placement.key,
        "experiment": experiment.key, "variant": variant, "propensity": round(found.propensity, 6),
    }  # fmt: skip
    context = {"device": report.device} if report.device else {}
    made = [
        NewEvent(
            customer_id,
            f"onsite-{report.kind}-{found.nonce.hex()}",
            EVENT[report.kind],
            report.at,
            properties=about,
            context=context,
        )
    ]
    if report.kind == SEEN:
        made.append(
            NewEvent(
                customer_id,
                f"onsite-exposure-{experiment.key}",
                EXPOSURE,
                report.at,
                properties={"experimentId": experiment.key, "variationId": variant}
                | ({"seenAs": seen} if seen else {}),
                context=context,
            )
        )
    return made


def _redis() -> redis.Redis:
    return _connection(settings.REDIS_URL)


_clients: dict[str, redis.Redis] = {}


def _connection(url: str) -> redis.Redis:
    if url not in _clients:
        _clients[url] = redis.Redis.from_url(url, socket_timeout=0.5, socket_connect_timeout=0.5)
    return _clients[url]
