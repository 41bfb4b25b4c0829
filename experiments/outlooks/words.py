"""What a test could see, in sentences that a marketer can act on."""

import math
from typing import Any

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from experiments.decisions import Guardrail
from experiments.outlooks.guardrail import Protection
from experiments.outlooks.outlook import Doubt, Outlook


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


def explain_margin(guardrail: Guardrail, margin: float, *, is_share: bool) -> str:
    """A margin as people say it: 0.2 percentage points, 10 %, 0.50 per customer."""
    if guardrail.is_relative:
        return _percent(margin)
    if is_share:
        return _("%(n)s percentage points") % {"n": f"{_two_digits(margin * 100):g}"}
    return _("%(n)s per customer") % {"n": f"{_two_digits(margin):g}"}


def explain_protection(guardrail: Guardrail, found: Protection, *, metric: str, is_share: bool) -> str:
    """Whether the test can show that this guardrail holds."""
    facts = {
        "n": _whole(found.customers), "metric": metric,
        "margin": explain_margin(guardrail, guardrail.margin, is_share=is_share),
        "provable": explain_margin(guardrail, found.provable, is_share=is_share),
    }  # fmt: skip
    if found.is_enough:
        return (
            _("With %(n)s customers it can be shown that “%(metric)s” is at most %(margin)s worse.") % facts
        )
    return (
        _(
            "With %(n)s customers the guardrail “%(metric)s” (at most %(margin)s worse) cannot be proven, so "
            "nothing could be named the winner. Accept %(provable)s, leave it out, or ask more customers."
        )
        % facts
    )


def _two_digits(value: float) -> float:
    """Rounded up: a margin a little too small could not be proven."""
    if not value > 0:
        return value
    step = 10.0 ** (math.floor(math.log10(value)) - 1)
    return math.ceil(value / step - 1e-9) * step


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
