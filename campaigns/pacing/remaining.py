"""How long a run still takes at the rates that are set."""

from campaigns.models import Run, RunStatus, SenderAccount
from campaigns.pacing.rates import Pace


def rate_of(run_rate: float | None, channel: str) -> float | None:
    """Messages a second that a run of this channel reaches at most; None where no rate is set."""
    account = SenderAccount.objects.filter(channel=channel, is_active=True).order_by("position", "pk").first()
    own = Pace.from_json(account.pace).per_second if account else None
    return min((rate for rate in (run_rate, own) if rate is not None), default=None)


def seconds_left(run: Run, pending: int) -> float | None:
    """Until all who wait are sent to; None without a rate, or when nothing is sent."""
    if run.status not in (RunStatus.SENDING, RunStatus.PAUSED) or not pending:
        return None
    rate = rate_of(run.per_second, run.content.get("channel", ""))
    return None if rate is None else round(pending / rate, 1)
