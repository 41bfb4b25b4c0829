"""What is wrong with a rate, and how long is left, as sentences."""

import re
from collections.abc import Mapping
from math import ceil
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.errors import InvalidCampaign
from campaigns.pacing.rates import LEAST, MOST, Pace, RateError, read_rate
from campaigns.pacing.warm_up import WarmUp

MINUTE, HOUR, DAY = 60, 3600, 86_400


def checked_rate(value: object) -> float | None:
    """None for an empty one. Raises InvalidCampaign with a sentence."""
    try:
        return read_rate(value, "per_second")
    except RateError as error:
        detail = sentence_of(error)
        raise InvalidCampaign(detail, errors=[{"pointer": "/per_second", "detail": detail}]) from None


def sentence_of(error: RateError) -> str:
    return {
        "unknown": _("There is no such setting."),
        "number": _("This must be a number."),
        "range": _("Write a number of messages a second from %(least)s to %(most)s.")
        % {"least": f"{LEAST:g}", "most": f"{MOST:,.0f}"},
        "volumes": _("Write the messages of each day as whole numbers, for at most 90 days."),
        "volumes_needed": _("Say how many messages go to all other domains on each day."),
        "groups": _("Write domains and their messages on each day on a line, like “mail.example: 50, 100”."),
        "groups_twice": _("A domain stands here twice."),
        "zone": _("There is no such time zone."),
        "day": _("Write the first day like 2026-12-01."),
        "hour": _("An hour is a number from 0 to 23."),
        "domains": _("Write one domain and its rate on a line, like “mail.example 5”."),
    }[error.code]


def read_domains(text: str) -> Mapping[str, str]:
    """Lines of a form: a domain and its rate. Raises RateError."""
    found = {}
    for line in text.splitlines():
        parts = line.replace("=", " ").replace(":", " ").split()
        if parts and len(parts) != 2:
            raise RateError("domains", "domains")
        if parts:
            found[parts[0]] = parts[1]
    return found


def write_domains(pace: Pace) -> str:
    return "\n".join(f"{domain} {rate:g}" for domain, rate in pace.domains.items())


def read_groups(text: str) -> list[dict[str, list[str]]]:
    """Lines of a form: domains, a colon and the messages of each day; read further by WarmUp.from_json."""
    found = []
    for line in text.splitlines():
        domains, _colon, volumes = line.partition(":")
        if line.strip():
            found.append({"domains": _parts(domains), "volumes": _parts(volumes)})
    return found


def _parts(text: str) -> list[str]:
    return [part for part in re.split(r"[\s,;]+", text) if part]


def write_groups(plan: WarmUp) -> str:
    return "\n".join(
        f"{' '.join(group.domains)}: {', '.join(str(n) for n in group.volumes)}" for group in plan.groups
    )


def duration(seconds: float) -> str:
    """About how long, in the largest unit of which there are two at least."""
    if seconds >= 2 * DAY:
        n = round(seconds / DAY)
        return ngettext("%(n)s day", "%(n)s days", n) % {"n": n}
    if seconds >= 2 * HOUR:
        n = round(seconds / HOUR)
        return ngettext("%(n)s hour", "%(n)s hours", n) % {"n": n}
    if seconds >= 2 * MINUTE:
        n = round(seconds / MINUTE)
        return ngettext("%(n)s minute", "%(n)s minutes", n) % {"n": n}
    n = max(1, ceil(seconds))
    return ngettext("%(n)s second", "%(n)s seconds", n) % {"n": n}


def describe_pace(data: Mapping[str, Any]) -> str:
    """Of an account, for the list of senders; empty without limits."""
    pace = Pace.from_json(data)
    parts = []
    if pace.per_second is not None:
        parts.append(_("%(n)s a second") % {"n": f"{pace.per_second:g}"})
    if pace.per_domain is not None:
        parts.append(_("%(n)s a second to each domain") % {"n": f"{pace.per_domain:g}"})
    parts += [
        _("%(n)s a second to %(domain)s") % {"n": f"{rate:g}", "domain": domain}
        for domain, rate in pace.domains.items()
    ]
    return " · ".join(parts)
