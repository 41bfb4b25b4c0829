"""What a test could see, in sentences that a marketer can act on."""

import math
from typing import Any

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from experiments.outlook import Doubt, Outlook


def explain_outlook(found: Outlook | Doubt, *, metric: str) -> str:
    """One or two sentences."""
    if isinstance(found, Doubt):
        return {
            Doubt.NO_HISTORY: _("Nobody has done “%(metric)s” yet, so nothing can be said beforehand."),
            Doubt.TOO_FEW: _("Too few past customers count for “%(metric)s” to say anything beforehand."),
            Doubt.NO_CUSTOMERS: _("A group of this test would be empty."),
        }[found] % {"metric": metric}
    facts = {
        "n": _whole(found.customers), "metric": metric, "power": _percent(found.power),
        "detectable": _percent(found.detectable) if math.isfinite(found.detectable) else "",
        "wanted": _percent(found.wanted), "needed": _whole(_rounded(found.customers_needed)),
    }  # fmt: skip
    if not facts["detectable"]:
        first = _("With %(n)s customers no change in “%(metric)s” could be told from chance.") % facts
    else:
        first = (
            _(
                "With %(n)s customers you can see a change of %(detectable)s or more in “%(metric)s” with "
                "%(power)s power."
            )
            % facts
        )
    if found.is_enough:
        return first
    if found.days_needed is None:
        return first + " " + _("For %(wanted)s you would need %(needed)s customers.") % facts
    weeks = math.ceil(found.days_needed / 7)
    longer = ngettext("%(n)s week", "%(n)s weeks", weeks) % {"n": weeks}
    return (
        first
        + " "
        + _("For %(wanted)s you would need %(needed)s customers, or a test of %(weeks)s.")
        % {**facts, "weeks": longer}
    )


def outlook_document(found: Outlook | Doubt, *, metric: str) -> dict[str, Any]:
    """Numbers and sentence; numbers are null where there is a doubt or no end."""
    document: dict[str, Any] = {
        "metric": metric, "sentence": explain_outlook(found, metric=metric), "doubt": None,
        "is_enough": False, "customers": None, "mean": None, "standard_deviation": None,
        "share_above_zero": None,
        "detectable": None, "wanted": None, "power": None, "power_for_wanted": None, "customers_needed": None,
        "days_needed": None, "resampled_power": None,
    }  # fmt: skip
    if isinstance(found, Doubt):
        return document | {"doubt": found.value}
    numbers = {name: getattr(found, name) for name in document if hasattr(found, name)}
    return document | {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in numbers.items()
    }


def _percent(share: float) -> str:
    percent = share * 100
    digits = 1 if percent < 10 and round(percent, 1) % 1 else 0
    return _("%(n)s %%") % {"n": formats.number_format(round(percent, digits), digits)}


def _rounded(number: int) -> int:
    """Two digits are what an outlook knows."""
    size = 10 ** max(len(str(number)) - 2, 0)
    return math.ceil(number / size) * size


def _whole(number: int) -> str:
    return formats.number_format(number, 0, force_grouping=True)
