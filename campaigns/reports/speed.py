"""How fast a run was sent, and at which rates: the picture beside its progress."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from campaigns.models import Run
from campaigns.pacing.words import duration
from personalization.access.models import AuditEntry
from personalization.customers.recent import recent

STEPS = tuple(timedelta(minutes=n) for n in (1, 5, 15, 60, 6 * 60, 24 * 60))  # of a bar
MOST_BARS = 60
WIDTH, HEIGHT = 720.0, 96.0
# A rate far above what is sent would press the bars flat; it is said in words alone.
TALLEST_RATE = 3

_SENT = """
    SELECT date_bin(%s, sent_at, %s), count(*) FROM campaigns_delivery
    WHERE run_id = %s AND sent_at >= %s GROUP BY 1
"""


@dataclass(frozen=True)
class Speed:
    """`counts`: messages by the beginning of their bar; `rates`: what held from then on, None for no limit.
    `ends_at`: the end of the last bar."""

    step: timedelta
    begins_at: datetime
    ends_at: datetime
    counts: Mapping[datetime, int]
    rates: Sequence[tuple[datetime, float | None]]


def read_speed(run: Run) -> Speed | None:
    """None while it is counted first, and for a run that was over before there was anything to see."""
    end = run.finished_at or timezone.now()
    # Bars begin at whole minutes, so from there they are counted: else the first would fall out.
    origin = run.launched_at.replace(second=0, microsecond=0)
    span = end - origin
    step = next((one for one in STEPS if span <= MOST_BARS * one), STEPS[-1])
    bars = min(span // step + 1, MOST_BARS)
    last = origin + span // step * step
    begins_at = max(origin, last - (bars - 1) * step)
    counts = recent(
        f"campaigns:speed:{run.pk}:{run.status}:{begins_at:%d%H%M}:{step.seconds or step.days}",
        lambda: _counts(run.pk, step, begins_at),
    )
    if counts is None or bars < 2 or not counts:
        return None
    return Speed(step, begins_at, last + step, counts, _rates(run))


def _counts(run_id: int, step: timedelta, begins_at: datetime) -> dict[datetime, int]:
    with connection.cursor() as cursor:
        values: list[Any] = [step, begins_at, run_id, begins_at]
        cursor.execute(_SENT, values)
        return dict(cursor.fetchall())


def _rates(run: Run) -> list[tuple[datetime, float | None]]:
    changes = AuditEntry.objects.filter(target=f"run:{run.pk}", action="run.rate_changed")
    found = list(changes.order_by("at", "pk").values_list("at", "detail"))
    first = found[0][1].get("before") if found else run.per_second
    return [(run.launched_at, first), *((at, detail.get("per_second")) for at, detail in found)]


def speed_picture(speed: Speed | None) -> dict[str, Any] | None:
    """Bars and lines for an SVG of WIDTH by HEIGHT, and what its caption says."""
    if speed is None:
        return None
    minutes = speed.step / timedelta(minutes=1)
    n = (speed.ends_at - speed.begins_at) // speed.step
    starts = [speed.begins_at + place * speed.step for place in range(n)]
    values = [speed.counts.get(at, 0) / minutes for at in starts]
    most = max(values)
    limits = _limits(speed)
    fitting = [one["per_minute"] for one in limits if one["per_minute"] <= TALLEST_RATE * most]
    top = max([most, *fitting]) or 1.0
    width = WIDTH / n
    return {
        "width": WIDTH, "height": HEIGHT, "step": duration(speed.step.total_seconds()), "most": most,
        "begins_at": speed.begins_at, "ends_at": speed.ends_at,
        "bars": [
            {
                "at": at, "n": speed.counts.get(at, 0), "x": round(place * width + 0.5, 2),
                "width": round(width - 1, 2), "y": round(HEIGHT * (1 - value / top), 2),
                "height": round(HEIGHT * value / top, 2),
            }
            for place, (at, value) in enumerate(zip(starts, values, strict=True))
        ],
        "limits": [
            {**one, "y": round(max(1.0, HEIGHT * (1 - one["per_minute"] / top)), 2)}
            for one in limits
            if one["per_minute"] <= top
        ],
        "changes": [(at, rate) for at, rate in speed.rates[1:]],
    }  # fmt: skip


def _limits(speed: Speed) -> list[dict[str, Any]]:
    """Each stretch of the picture in which a rate held."""
    whole = speed.ends_at - speed.begins_at
    ends = [*(at for at, _rate in speed.rates[1:]), speed.ends_at]
    found = []
    for (at, rate), until in zip(speed.rates, ends, strict=True):
        begin, end = (min(max((one - speed.begins_at) / whole, 0.0), 1.0) for one in (at, until))
        if rate is not None and end > begin:
            found.append(
                {"per_minute": rate * 60, "x1": round(begin * WIDTH, 2), "x2": round(end * WIDTH, 2)}
            )
    return found
