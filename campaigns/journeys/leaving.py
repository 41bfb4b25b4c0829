"""Who leaves a journey by its rules: asked before each step, and before a message in line is handed over."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

from campaigns.journeys import happened
from campaigns.journeys.graph import ExitRule
from campaigns.journeys.nodes import Traveler
from campaigns.journeys.nodes.split_segment import members_among
from campaigns.journeys.versions import graph_of
from campaigns.models import JourneyVersion, Passage, PassageStatus


def taken_out(
    rules: Sequence[ExitRule], travelers: Sequence[Traveler], *, now: datetime
) -> dict[int, tuple[ExitRule, str]]:
    """By traveler the first rule that takes them out, and the reason that is told."""
    found: dict[int, tuple[ExitRule, str]] = {}
    for rule in rules:
        for one, reason in _hit(rule, travelers, now):
            found.setdefault(one.id, (rule, reason[:200]))
    return found


def _hit(rule: ExitRule, travelers: Sequence[Traveler], now: datetime) -> Iterator[tuple[Traveler, str]]:
    if rule.event:
        did = happened.since({one.customer_id: one.entered_at for one in travelers}, [rule.event], until=now)
        for one in travelers:
            # The event that let somebody in does not take them out again.
            if one.customer_id in did and did[one.customer_id] > one.entered_at:
                yield one, rule.event
        return
    inside = members_among(rule.segment or 0, [one.customer_id for one in travelers], now=now)
    for one in travelers:
        if (one.customer_id in inside) == (rule.when == "in"):
            yield one, f"segment {rule.segment} {rule.when}"


def left_among(passage_ids: Collection[int], *, now: datetime) -> set[int]:
    """Those of the passages whose customers have left their journey, or whom a rule takes out now (who have
    bought): what was meant for them is not sent. Also of those who are through: a message is in line behind
    their last step."""
    if not passage_ids:
        return set()
    rows = Passage.everything.filter(pk__in=passage_ids).values_list(
        "pk", "status", "version_id", "customer_id", "entered_at", "arrived_at"
    )
    left: set[int] = set()
    # A customer who came in again is asked about by each of their times, so not in one batch.
    batches: dict[tuple[int, int], list[Traveler]] = {}
    times: Counter[tuple[int, int]] = Counter()
    for pk, status, version_id, customer, entered_at, arrived_at in rows:
        if status == PassageStatus.LEFT:
            left.add(pk)
        elif customer is not None:
            times[version_id, customer] += 1
            batch = batches.setdefault((version_id, times[version_id, customer]), [])
            batch.append(Traveler(pk, customer, "", entered_at, arrived_at))
    versions = JourneyVersion.objects.in_bulk({version_id for version_id, _ in batches})
    for (version_id, _), batch in batches.items():
        left |= taken_out(graph_of(versions[version_id]).exits, batch, now=now).keys()
    return left
