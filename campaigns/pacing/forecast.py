"""How many days a warm-up spreads a campaign over, before it is launched."""

from datetime import datetime

from django.db.models import Q

from campaigns.models import Delivery, DeliveryStatus, RunStatus, SenderAccount, WarmUpDay
from campaigns.pacing.warm_up import WarmUp


def warming_account(channel: str) -> tuple[SenderAccount, WarmUp] | None:
    """The account that sends messages of this channel, while it warms up."""
    account = SenderAccount.objects.filter(channel=channel, is_active=True).order_by("position", "pk").first()
    plan = WarmUp.from_json(account.warm_up) if account else None
    return None if account is None or plan is None else (account, plan)


def is_warming(channel: str, *, now: datetime) -> bool:
    found = warming_account(channel)
    return found is not None and found[1].volume_of(found[1].day_of(now)) is not None


def used_on(account: SenderAccount, plan: WarmUp, *, now: datetime) -> int:
    day = WarmUpDay.objects.filter(account=account, day=plan.day_of(now)).first()
    return day.taken if day else 0


def days_to_send(channel: str, messages: int, *, now: datetime) -> tuple[int, WarmUp] | None:
    """Days from today until so many more messages are out, behind all that wait already; None without a
    warm-up that limits today."""
    found = warming_account(channel)
    if found is None or not is_warming(channel, now=now):
        return None
    account, plan = found
    return plan.days_for(
        messages + waiting_ahead(channel), now=now, used_today=used_on(account, plan, now=now)
    ), plan


def waiting_ahead(channel: str) -> int:
    """Messages of all runs that wait for this channel."""
    return Delivery.objects.filter(
        Q(run__status=RunStatus.SENDING) | Q(run__status=RunStatus.PAUSED), run__content__channel=channel,
        status=DeliveryStatus.PENDING,
    ).count()  # fmt: skip
