"""Rates and warm-up of an account: its form, and the picture of how far the warm-up is."""

import re
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from campaigns.models import SenderAccount, WarmUpDay
from campaigns.pacing.rates import Pace
from campaigns.pacing.warm_up import DEFAULT_VOLUMES, WarmUp
from campaigns.pacing.words import read_domains, write_domains

RATES = ("per_second", "per_domain", "domains")
WARM_UP = ("volumes", "starts_on", "zone", "hour")


def read_speed(request: HttpRequest) -> dict[str, Any]:
    """`pace` and `warm_up` for `accounts.save_account`. Raises RateError for lines that cannot be read."""
    given = {name: request.POST.get(name, "").strip() for name in (*RATES, *WARM_UP)}
    pace = {**{name: given[name] for name in RATES}, "domains": read_domains(given["domains"])}
    volumes = [part for part in re.split(r"[\s,;]+", given["volumes"]) if part]
    warm_up = {**{name: given[name] for name in WARM_UP}, "volumes": volumes} if volumes else {}
    return {"pace": pace, "warm_up": warm_up}


def shown_speed(request: HttpRequest, row: SenderAccount | None) -> dict[str, Any]:
    """What stands in the form."""
    usual = ", ".join(str(n) for n in DEFAULT_VOLUMES)
    if request.method == "POST":
        return {name: request.POST.get(name, "") for name in (*RATES, *WARM_UP)} | {"usual": usual}
    pace = Pace.from_json(row.pace if row else {})
    plan = WarmUp.from_json(row.warm_up if row else {})
    rates = {"per_second": pace.per_second, "per_domain": pace.per_domain}
    return {
        **{name: "" if rate is None else f"{rate:g}" for name, rate in rates.items()},
        "domains": write_domains(pace),
        "volumes": ", ".join(str(n) for n in plan.volumes) if plan else "",
        "starts_on": plan.starts_on.isoformat() if plan else timezone.localdate().isoformat(),
        "zone": plan.zone if plan else settings.TIME_ZONE,
        "hour": plan.hour if plan else 9,
        "usual": usual,
    }


def warm_up_days(row: SenderAccount) -> list[dict[str, Any]]:
    """Each day of the plan with its volume and what was sent, for a picture 100 high; empty without one."""
    plan = WarmUp.from_json(row.warm_up)
    if plan is None:
        return []
    taken = dict(WarmUpDay.objects.filter(account=row).values_list("day", "taken"))
    today, most = plan.day_of(timezone.now()), max(plan.volumes)
    days = []
    for n, day in enumerate(plan.days):
        volume, sent = plan.volumes[n], taken.get(day, 0)
        # Roots, so that the small first days can be seen beside the large last ones.
        high, full = 100 * (volume / most) ** 0.5, 100 * (min(sent, volume) / most) ** 0.5
        days.append(
            {
                "day": day, "volume": volume, "sent": sent, "is_today": day == today, "x": n * 24,
                "y": round(100 - high, 1), "high": round(high, 1), "full_y": round(100 - full, 1),
                "full": round(full, 1),
            }
        )  # fmt: skip
    return days
