"""One message to all devices of a person: one delivery in the ledger, and a result for each device.

Sent means that at least one device's service took it. A device that is gone is retired by its channel; one
whose service was busy while another's took the message is tried once more at the end, unless it asked us to
wait. Each device has its own intent and result in the journal: a takeover knows what a dead worker reached.
"""

import time
from collections.abc import Callable
from dataclasses import asdict

from campaigns.models import DeliveryStatus
from campaigns.sending.gate import LeaseLost, Withdrawn
from campaigns.sending.journal import Entry, JournalError
from campaigns.transport import sandbox
from campaigns.transport.session import Answer, ChannelError, DeviceResult, Outgoing, Session

TAKEN = ("sent", "unknown")
# What wins over what when the devices' answers become the answer of the message.
RANK = ("sent", "unknown", "later", "refused", "gone")
GONE = "gone"


def hand_over(
    session: Session,
    message: Outgoing,
    *,
    intent: Callable[[], None],
    note: Callable[[DeviceResult], None] = lambda result: None,
) -> Answer:
    """What `session.send` does, for each of the message's parts where it has some. `note` is told each result
    at once. Once a device may have shown the message, whatever stops the others only ends the round."""
    if not message.parts:
        return sandbox.hand_over(session, message, intent=intent)
    answers: list[Answer] = []
    results: list[DeviceResult] = []

    def one(part: Outgoing) -> Answer:
        answer = sandbox.hand_over(session, part, intent=intent)
        answers.append(answer)
        results.append(DeviceResult(part.device, answer.kind, answer.detail, time.time()))
        note(results[-1])
        return answer

    try:
        busy = [part for part in message.parts if _may_be_tried_again(one(part))]
        if any(answer.kind in TAKEN for answer in answers):
            for part in busy:
                one(part)
    except (ChannelError, Withdrawn, LeaseLost, JournalError) as error:
        if not any(answer.kind in TAKEN for answer in answers):
            raise
        reached = {result.device for result in results}
        results += [
            DeviceResult(part.device, "not_tried", str(error)[:200], time.time())
            for part in message.parts
            if part.device not in reached
        ]
    return _joined(answers, tuple(results))


def _may_be_tried_again(answer: Answer) -> bool:
    return answer.kind == "later" and not answer.retry_after


def _joined(answers: list[Answer], results: tuple[DeviceResult, ...]) -> Answer:
    """The next try of a message whose devices are all gone finds those that came since, or says that there is
    no address."""
    best = min(answers, key=lambda answer: RANK.index(answer.kind))
    kind = "later" if best.kind == GONE else best.kind
    return Answer(kind, best.detail, max(answer.retry_after for answer in answers), results)


def status_of(entry: Entry) -> str | None:
    """What a dead worker's journal says of one try; None when certainly nobody took the message."""
    if entry.status:
        return entry.status
    if any(device["outcome"] in TAKEN for device in entry.devices):
        return DeliveryStatus.SENT
    return DeliveryStatus.UNKNOWN if entry.is_open else None


def as_json(results: tuple[DeviceResult, ...]) -> tuple[dict[str, object], ...]:
    return tuple(asdict(result) for result in results)
