"""From messages to rows: identities, traits and events of one call.

Events of known customers are written first, by one statement, together with those of other calls that
came at the same moment. All else is written in a transaction of its own. So a call whose customers are
partly new commits twice, and is answered after both; what was written before the process ended between
them is stored once when the call is sent again.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

import structlog
from django.db import IntegrityError, OperationalError, transaction
from django.utils.translation import gettext as _

from personalization.customers.models import IdentifierKind
from personalization.customers.services import resolve, write_traits
from personalization.events.combining import Combiner
from personalization.events.identity import Pair, connect, join_by_address, link_devices
from personalization.events.knowing import look_up
from personalization.events.known_writing import Received, write_known
from personalization.events.messages import Message
from personalization.events.services import NewEvent, copy_events, record_events

ATTEMPTS = 4
NAMED = frozenset({"track", "page", "screen"})
# Of larger calls COPY writes the many rows for less than it costs to begin it.
MOST_AT_ONCE = 300
# Deadlock, serialization failure, or somebody created the same row after we looked.
TIES = frozenset({"40P01", "40001", "23505", "23503"})
MAX_REPEATERS = 1_000
# Senders whose last call brought what was there already.
_repeaters: set[str] = set()
# Two places, so that one batch is made while PostgreSQL writes the other.
_combiner: Combiner[Received, set[str]] = Combiner(write_known, places=2, most=10)
log = structlog.get_logger(__name__)


def ingest(
    messages: Sequence[Message], *, received_at: datetime, sender: str = "", is_test: bool = False
) -> dict[int, str]:
    """Writes all messages durably; answers the refused ones, by position with the reason. `sender`: who may
    repeat the call before. A test is answered alike, and leaves nothing behind.

    Writing the same messages again leaves the same state. Batches that meet in the same new customers wait
    for one another; where PostgreSQL has to break a tie, the loser simply starts again.
    """
    if not messages:
        return {}
    may_be_known = (
        len(messages) <= MOST_AT_ONCE and not is_test and all(m.user_id and m.call in NAMED for m in messages)
    )
    # All events are taken for new: those of a repeated call are found by its failure, which is not waited
    # for where the same sender goes on repeating.
    all_new = sender not in _repeaters
    for attempt in range(1, ATTEMPTS + 1):
        try:
            if may_be_known:
                # What is written stays, also when the rest has to start again: it is there once.
                messages, may_be_known = _write_known(messages, received_at=received_at), False
                if not messages:
                    return {}
            with transaction.atomic():
                refused, were_new = _ingest(messages, received_at=received_at, all_new=all_new)
                transaction.set_rollback(is_test)
            if were_new:
                _repeaters.discard(sender)
            return refused
        except (OperationalError, IntegrityError) as error:
            code = getattr(error.__cause__, "sqlstate", None)
            if attempt == ATTEMPTS or code not in TIES:
                raise
            if code == "23505" and sender and len(_repeaters) < MAX_REPEATERS:
                _repeaters.add(sender)
            all_new = False
            log.info("ingestion_retried", attempt=attempt)
    raise AssertionError("unreachable")


def _write_known(messages: Sequence[Message], *, received_at: datetime) -> Sequence[Message]:
    """Answers the messages of customers who are not known, which are not written."""
    unknown = _combiner.run(Received(received_at, messages))
    return [message for message in messages if message.user_id in unknown]


def _ingest(
    messages: Sequence[Message], *, received_at: datetime, all_new: bool
) -> tuple[dict[int, str], bool]:
    """The refused ones, and whether all events were new."""
    refused = _connect(messages)
    user_ids = {m.user_id for m in messages if m.user_id}
    known = look_up(user_ids=user_ids, items={o.item for m in messages for o in m.occurrences if o.item})
    resolved = resolve(
        user_ids=user_ids - known.users.keys(),
        anonymous_ids={m.anonymous_id for m in messages if not m.user_id},
        at=min(m.occurred_at for m in messages),
    )
    users = known.users | resolved.users
    owners = [users[m.user_id] if m.user_id else resolved.visitors[m.anonymous_id] for m in messages]
    pairs = list(zip(owners, messages, strict=True))
    _write_traits(owners, messages, refused)
    link_devices(device for owner, m in pairs if m.call == "identify" for device in _devices(owner, m))
    events = [
        NewEvent(
            owner, o.message_id, o.name, m.occurred_at, known.items.get(o.item), o.value, o.properties,
            m.context,
        )
        for owner, m in pairs
        for o in m.occurrences
    ]  # fmt: skip
    if all_new:
        copy_events(events, received_at=received_at)
    else:
        all_new = record_events(events, received_at=received_at) == len(events)
    join_by_address(
        owner
        for owner, m in pairs
        if m.traits and (m.traits.columns.get("email") or m.traits.columns.get("phone"))
    )
    return refused, all_new


def _write_traits(owners: Sequence[int], messages: Sequence[Message], refused: dict[int, str]) -> None:
    """A value that a declaration refuses is told by the position of its message, whose rest is written."""
    told = [place for place, message in enumerate(messages) if message.traits is not None]
    changes = [(owners[place], split) for place in told if (split := messages[place].traits) is not None]
    for refusal in write_traits(changes):
        reason = _("trait %(name)s was not taken: %(reason)s; everything else was") % {
            "name": refusal.name, "reason": refusal.reason
        }  # fmt: skip
        place = told[refusal.position]
        refused[place] = f"{refused[place]}; {reason}" if place in refused else reason


def _devices(owner: int, message: Message) -> Iterator[tuple[int, str, str]]:
    """The device and the push token that an identify call came from (`context.device` of the spec)."""
    device = message.context.get("device")
    if isinstance(device, dict):
        for name, kind in (("id", IdentifierKind.DEVICE), ("token", IdentifierKind.PUSH_TOKEN)):
            if isinstance(value := device.get(name), str):
                yield owner, kind.value, value


def _connect(messages: Sequence[Message]) -> dict[int, str]:
    known: dict[Pair, list[int]] = {}
    for position, message in enumerate(messages):
        if message.call == "alias":
            known.setdefault((message.user_id, message.previous_id), []).append(position)
    pairs = {
        (m.user_id, m.anonymous_id) for m in messages if m.call == "identify" and m.user_id and m.anonymous_id
    }
    if not pairs and not known:
        return {}
    reasons = connect(pairs, former=known)
    return {position: reason for pair, reason in reasons.items() for position in known[pair]}
