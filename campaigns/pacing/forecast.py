"""How many days a warm-up spreads a campaign over, before it is launched."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from django.db.models import Count, F, Func, Q, QuerySet, TextField, Value
from django.db.models.functions import Lower

from campaigns.models import Delivery, DeliveryStatus, RunStatus, SenderAccount, WarmUpDay
from campaigns.pacing.warm_up import REST, WarmUp
from personalization.customers.models import Customer


def warming_account(channel: str) -> tuple[SenderAccount, WarmUp] | None:
    """The account that sends messages of this channel, while it warms up."""
    account = SenderAccount.objects.filter(channel=channel, is_active=True).order_by("position", "pk").first()
    plan = WarmUp.from_json(account.warm_up) if account else None
    return None if account is None or plan is None else (account, plan)


def is_warming(channel: str, *, now: datetime) -> bool:
    found = warming_account(channel)
    return found is not None and found[1].limits(found[1].day_of(now))


def used_on(account: SenderAccount, plan: WarmUp, *, now: datetime) -> dict[str, int]:
    """Places that are taken today, by group of recipient domains."""
    day = WarmUpDay.objects.filter(account=account, day=plan.day_of(now)).first()
    return {REST: day.taken, **day.by_group} if day else {}


def days_to_send(
    channel: str, people: QuerySet[Customer], *, share: float, now: datetime
) -> tuple[int, WarmUp, str] | None:
    """Days from today until that share of the people is written to, behind all that wait already, with the
    group of recipient domains that takes longest; None without a warm-up that limits today."""
    found = warming_account(channel)
    if found is None or not is_warming(channel, now=now):
        return None
    account, plan = found
    ahead, used = waiting_ahead(channel, plan), used_on(account, plan, now=now)
    sizes = _by_group(people, plan, "email")
    days = {
        group: plan.days_for(
            round(sizes[group] * share) + ahead[group], now=now, used_today=used.get(group, 0), group=group
        )
        for group in plan.names
        if sizes[group]
    }
    slowest = max(days, key=lambda group: days[group], default=REST)
    return days.get(slowest, 1), plan, slowest


def waiting_ahead(channel: str, plan: WarmUp) -> Mapping[str, int]:
    """Messages of all runs that wait for this channel, by group of recipient domains."""
    waiting = Delivery.objects.filter(
        Q(run__status=RunStatus.SENDING) | Q(run__status=RunStatus.PAUSED), run__content__channel=channel,
        status=DeliveryStatus.PENDING,
    )  # fmt: skip
    return _by_group(waiting, plan, "customer__email")


def _by_group(rows: QuerySet[Customer] | QuerySet[Delivery], plan: WarmUp, email: str) -> Counter[str]:
    counts: Counter[str] = Counter()
    if plan.groups:
        after = Func(F(email), Value("@"), Value(-1), function="split_part", output_field=TextField())
        named = [name for group in plan.groups for name in group.domains]
        found = rows.annotate(domain=Lower(after)).filter(domain__in=named).order_by().values_list("domain")
        for name, n in found.annotate(n=Count("pk")):
            counts[plan.group_of(name)] += n
    counts[REST] = rows.count() - counts.total()
    return counts
