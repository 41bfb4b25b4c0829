"""Rates and warm-up of an account: its form, and the picture of how far the warm-up is."""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from campaigns.models import SenderAccount, WarmUpDay
from campaigns.pacing.rates import Pace
from campaigns.pacing.warm_up import DEFAULT_VOLUMES, REST, WarmUp
from campaigns.pacing.words import read_domains, read_groups, write_domains, write_groups

DAY_WIDTH = 24
RATES = ("per_second", "per_domain", "domains")
WARM_UP = ("volumes", "starts_on", "zone", "hour", "groups")


def read_speed(request: HttpRequest) -> dict[str, Any]:
    """`pace` and `warm_up` for `accounts.save_account`. Raises RateError for lines that cannot be read."""
    given = {name: request.POST.get(name, "").strip() for name in (*RATES, *WARM_UP)}
    pace = {**{name: given[name] for name in RATES}, "domains": read_domains(given["domains"])}
    volumes = [part for part in re.split(r"[\s,;]+", given["volumes"]) if part]
    groups = read_groups(given["groups"])
    plan = {**{name: given[name] for name in WARM_UP}, "volumes": volumes, "groups": groups}
    warm_up = plan if volumes or groups else {}
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
        "groups": write_groups(plan) if plan else "",
        "usual": usual,
    }


def warm_ups(row: SenderAccount) -> list[dict[str, Any]]:
    """A picture for each group of recipient domains, that of all others first; empty without a plan."""
    plan = WarmUp.from_json(row.warm_up)
    if plan is None:
        return []
    used = {one.day: {REST: one.taken, **one.by_group} for one in WarmUpDay.objects.filter(account=row)}
    names = {group.domains[0]: ", ".join(group.domains) for group in plan.groups}
    pictures = []
    for group in plan.names:
        days = _days(plan, group, {day: taken.get(group, 0) for day, taken in used.items()})
        pictures.append({"domains": names.get(group, ""), "days": days, "width": DAY_WIDTH * len(days)})
    return pictures


def _days(plan: WarmUp, group: str, taken: Mapping[date, int]) -> list[dict[str, Any]]:
    """Each day of the plan with its volume and what was sent, for a picture 100 high."""
    volumes = plan.volumes_of(group)
    today, most = plan.day_of(timezone.now()), max(volumes)
    days = []
    for n, volume in enumerate(volumes):
        day = plan.starts_on + timedelta(days=n)
        sent = taken.get(day, 0)
        # Roots, so that the small first days can be seen beside the large last ones.
        high, full = 100 * (volume / most) ** 0.5, 100 * (min(sent, volume) / most) ** 0.5
        days.append(
            {
                "day": day, "volume": volume, "sent": sent, "is_today": day == today, "x": n * DAY_WIDTH,
                "y": round(100 - high, 1), "high": round(high, 1), "full_y": round(100 - full, 1),
                "full": round(full, 1),
            }
        )  # fmt: skip
    return days
