"""The accounts with providers as a worker holds them, in the order in which they are tried."""

from dataclasses import dataclass, field

from campaigns.models import SenderAccount
from campaigns.pacing.rates import Pace
from campaigns.pacing.warm_up import WarmUp


@dataclass(frozen=True)
class Account:
    """`values`: options and secrets."""

    key: str
    name: str
    values: dict[str, str]
    pace: Pace = field(default_factory=Pace)
    pk: int = 0
    warm_up: WarmUp | None = None


def accounts_of(channel: str) -> list[Account]:
    rows = SenderAccount.objects.filter(channel=channel, is_active=True).order_by("position", "pk")
    return [_account(row) for row in rows]


def _account(row: SenderAccount) -> Account:
    pace, warm_up = Pace.from_json(row.pace), WarmUp.from_json(row.warm_up)
    return Account(breaker_key(row), row.name, row.values, pace, row.pk, warm_up)


def breaker_key(account: SenderAccount) -> str:
    return f"{account.channel}:{account.pk}"
