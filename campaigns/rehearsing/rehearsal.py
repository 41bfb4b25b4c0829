"""A campaign run through with a moved clock, on the real data and by the real code; nothing is sent, and
everything written is taken back at the end.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from campaigns import selectors, services
from campaigns.errors import InvalidState
from campaigns.models import Campaign, CampaignKind
from campaigns.pacing.forecast import used_on, waiting_ahead, warming_account
from campaigns.pacing.remaining import rate_of
from campaigns.pacing.warm_up import REST
from campaigns.planning.readiness import EDITABLE
from campaigns.rehearsing.brakes import Brakes, let_go
from campaigns.rehearsing.found import Findings
from campaigns.rehearsing.through import open_chunks, send, taken_back
from campaigns.schedule.due import launch_moment
from campaigns.schedule.words import read_timing
from campaigns.schedule.zones import zone_of
from personalization.access.jobs.work import Tell, nobody_listens

DAYS = 30


def rehearse(
    campaign: Campaign,
    *,
    at: datetime | None = None,
    days: int = DAYS,
    tell: Tell = nobody_listens,
) -> Findings:
    """What a launch at that time would do; `tell` hears which share is done, and what it raises ends the
    rehearsal. Raises CampaignNotReady, InvalidState."""
    must_be_open(campaign)
    now = timezone.now()
    at = at or campaign.scheduled_at or now
    timing = read_timing(campaign.timing)
    start = max(launch_moment(timing, at), now) if at > now else at
    found = Findings(start, start + timedelta(days=days))
    with taken_back():
        Campaign.objects.filter(pk=campaign.pk).update(scheduled_at=start if at > now else None)
        run = services.launch(campaign, actor="rehearsal", now=start, is_rehearsal=True)
        chunks = run.chunks.count()
        send(
            found,
            open_chunks(run.chunks.all()),
            until=found.ends_at,
            tell=lambda left: tell(1 - left / max(chunks, 1)),
        )
        progress = selectors.progress(run)
        found.audience, found.sent = progress["audience"], progress["sent"]
        found.reasons, found.waiting = progress["reasons"], progress["waiting"]
        found.variants = progress["variants"]
    hold_back(found, run_rate=timing.per_second)
    return found


def must_be_open(campaign: Campaign) -> None:
    """Raises InvalidState."""
    if campaign.kind == CampaignKind.TRIGGERED:
        raise InvalidState(_("A triggered campaign is rehearsed with its journey."))
    if campaign.status not in EDITABLE:
        raise InvalidState(_("The campaign was launched already."))


def hold_back(found: Findings, *, run_rate: float | None) -> None:
    """Puts the messages of each channel behind the rate that is set and the warm-up of their sender."""
    for channel, due in found.due.items():
        rate, warming = rate_of(run_rate, channel), warming_account(channel)
        brakes, to_groups = Brakes(rate, None, zone_of("")), [(at, n, REST) for at, n, _domain in due]
        if warming is not None:
            account, plan = warming
            used = used_on(account, plan, now=found.starts_at)
            brakes = Brakes(rate, plan, zone_of(""), used=used, ahead=waiting_ahead(channel, plan))
            to_groups = [(at, n, plan.group_of(domain)) for at, n, domain in due]
        left = let_go(_added(to_groups), brakes, until=found.ends_at)
        for day, n in left.days.items():
            found.days[day] = found.days.get(day, 0) + n
        found.sent -= left.late
        for reason, n in (("warm_up", left.warm_up_late), ("rate", left.late - left.warm_up_late)):
            if n:
                found.waiting[reason] = found.waiting.get(reason, 0) + n
        found.last_at = max((at for at in (found.last_at, left.last_at) if at), default=None)
        found.per_second = min((one for one in (found.per_second, rate) if one), default=None)
        found.is_warming = found.is_warming or (warming is not None and left.is_warmed)


def _added(due: Iterable[tuple[datetime, int, str]]) -> list[tuple[datetime, int, str]]:
    """One for each moment and group."""
    sums: Counter[tuple[datetime, str]] = Counter()
    for at, n, group in due:
        sums[at, group] += n
    return [(at, n, group) for (at, group), n in sums.items()]
