"""The particulars of an entry of the audit log in rows of words: `{"before": 50, "per_second": 20}` is
messages a second: 50 → 20.

Names without a word are shown with spaces; nothing is left out.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from django.utils import formats, timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext, pgettext_lazy

NAMES = {
    "active": pgettext_lazy("audit", "is active"),
    "added": pgettext_lazy("audit", "added"),
    "addresses": pgettext_lazy("audit", "addresses of links"),
    "algorithm": pgettext_lazy("audit", "algorithm"),
    "at": pgettext_lazy("audit", "time"),
    "audience": pgettext_lazy("audit", "customers in the audience"),
    "away_from": pgettext_lazy("audit", "away from recommender"),
    "before": pgettext_lazy("audit", "before"),
    "calls": pgettext_lazy("audit", "calls"),
    "caps": pgettext_lazy("audit", "frequency caps"),
    "changed": pgettext_lazy("audit", "what was changed"),
    "channel": pgettext_lazy("audit", "channel"),
    "code": pgettext_lazy("audit", "why"),
    "created": pgettext_lazy("audit", "newly made"),
    "customer": pgettext_lazy("audit", "customer"),
    "customers": pgettext_lazy("audit", "customers"),
    "days": pgettext_lazy("audit", "days"),
    "deliveries": pgettext_lazy("audit", "messages to customers"),
    "device": pgettext_lazy("audit", "device"),
    "digest": pgettext_lazy("audit", "fingerprint of what was shown"),
    "dry_run": pgettext_lazy("audit", "dry run"),
    "entered": pgettext_lazy("audit", "customers who entered"),
    "event": pgettext_lazy("audit", "event"),
    "events": pgettext_lazy("audit", "events"),
    "fallback": pgettext_lazy("audit", "taken for want of a winner"),
    "fields": pgettext_lazy("audit", "what was changed"),
    "given": pgettext_lazy("audit", "roles given"),
    "granted": pgettext_lazy("audit", "consent given"),
    "groups": pgettext_lazy("audit", "groups"),
    "kind": pgettext_lazy("audit", "kind"),
    "left": pgettext_lazy("audit", "what is left"),
    "link": pgettext_lazy("audit", "link"),
    "low_at": pgettext_lazy("audit", "warns when fewer are left than"),
    "merge": pgettext_lazy("audit", "merge"),
    "messages": pgettext_lazy("audit", "variants"),
    "method": pgettext_lazy("audit", "way"),
    "moved": pgettext_lazy("audit", "customers moved"),
    "named": pgettext_lazy("audit", "customers named"),
    "of": pgettext_lazy("audit", "property"),
    "outcome": pgettext_lazy("audit", "outcome"),
    "pace": pgettext_lazy("audit", "pace"),
    "people": pgettext_lazy("audit", "customers"),
    "per_second": pgettext_lazy("audit", "messages a second"),
    "problem": pgettext_lazy("audit", "what hindered it"),
    "pseudonymous": pgettext_lazy("audit", "without names"),
    "quiet_hours": pgettext_lazy("audit", "quiet hours"),
    "reason": pgettext_lazy("audit", "why"),
    "recipients": pgettext_lazy("audit", "recipients"),
    "rest": pgettext_lazy("audit", "customers of the rest"),
    "roles": pgettext_lazy("audit", "roles"),
    "rows": pgettext_lazy("audit", "rows"),
    "rule": pgettext_lazy("audit", "rule"),
    "run": pgettext_lazy("audit", "send"),
    "scopes": pgettext_lazy("audit", "rights"),
    "second_factor_required": pgettext_lazy("audit", "second factor demanded"),
    "sha256": pgettext_lazy("audit", "fingerprint (SHA-256)"),
    "share": pgettext_lazy("audit", "share of customers"),
    "shared": pgettext_lazy("audit", "for everybody"),
    "ship": pgettext_lazy("audit", "variant for everybody"),
    "size_bytes": pgettext_lazy("audit", "bytes"),
    "source": pgettext_lazy("audit", "merged customer"),
    "status": pgettext_lazy("audit", "answer"),
    "study": pgettext_lazy("audit", "study"),
    "taken": pgettext_lazy("audit", "roles taken"),
    "topic": pgettext_lazy("audit", "topic"),
    "topics": pgettext_lazy("audit", "rules for topics"),
    "variant": pgettext_lazy("audit", "variant"),
    "version": pgettext_lazy("audit", "version"),
    "warm_up": pgettext_lazy("audit", "warm-up"),
    "wave": pgettext_lazy("audit", "wave"),
    "way": pgettext_lazy("audit", "way"),
    "what": pgettext_lazy("audit", "what of it"),
}
SHARES = {"share", "coverage", "shipped_share"}


def say_details(detail: Mapping[str, object]) -> list[tuple[str, str]]:
    """Name and value of each particular; of a `before` and what it became, one row."""
    rows = [
        (str(NAMES.get(name, name.replace("_", " "))), _say(name, value)) for name, value in detail.items()
    ]
    if len(rows) == 2 and "before" in detail:
        (became,) = detail.keys() - {"before"}
        pair = f"{_say(became, detail['before'])} → {_say(became, detail[became])}"
        return [(str(NAMES.get(became, became.replace("_", " "))), pair)]
    return rows


def _say(name: str, value: object) -> str:
    if value is None or value in ("", [], {}):
        return "–"
    if isinstance(value, bool):
        return gettext("Yes") if value else gettext("No")
    if isinstance(value, int | float):
        shown = value * 100 if name in SHARES else value
        number = formats.number_format(Decimal(f"{shown:.12g}"), use_l10n=True, force_grouping=True)
        return f"{number} %" if name in SHARES else number
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_say(key, one)}" for key, one in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_say(name, one) for one in value)
    moment = _moment(str(value))
    return formats.date_format(timezone.localtime(moment), "DATETIME_FORMAT") if moment else str(value)


def _moment(text: str) -> datetime | None:
    """None where a text is no time with a zone, which is how times are written down."""
    try:
        moment = parse_datetime(text)
    except ValueError:
        return None
    return moment if moment and moment.tzinfo else None
