"""Which items a message recommends: how many, and by what rules; read, written, and said in plain words.

Chosen for each message, not for the campaign: what is recommended is a part of what a variant tries out ("new
things" against "buy it again"), and how many items fit is a matter of its layout.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from recommender.ranking.references import read_rules
from recommender.ranking.rules import ALLOW, EXCLUDE, ONLY, Rules, RulesError

DEFAULT_COUNT = 6
MAX_COUNT = 50
# Values of λ in marginal relevance that the editor offers; below both is "much more".
LITTLE_VARIETY, MORE_VARIETY = 0.8, 0.7
NAMED = 3  # names of categories and brands in one sentence


@dataclass(frozen=True)
class ItemChoice:
    """`strategy`: "popular", the name of an algorithm, or empty for the champion."""

    count: int = DEFAULT_COUNT
    rules: Rules = field(default_factory=Rules)
    strategy: str = ""


def stored_choice(stored: Mapping[str, Any]) -> ItemChoice:
    """Of a variant in `Run.content`; runs launched before there were rules have the default."""
    return ItemChoice(stored.get("item_count", DEFAULT_COUNT), Rules.from_json(stored.get("rules", {})))


def read_choice(given: Mapping[str, Any]) -> ItemChoice:
    """From `item_count` and `rules`, with items by the shop's ids. Raises RulesError with all problems."""
    errors = []
    count = given.get("item_count", DEFAULT_COUNT)
    if type(count) is not int or not 1 <= count <= MAX_COUNT:
        errors.append({"pointer": "/item_count", "detail": wrong_count()})
    try:
        rules = read_rules(given.get("rules") or {})
    except RulesError as error:
        errors += [{**one, "pointer": f"/rules{one['pointer']}"} for one in error.errors]
    if errors:
        raise RulesError(errors)
    return ItemChoice(count, rules)


def wrong_count() -> str:
    return _("A message recommends 1 to %(n)s items.") % {"n": MAX_COUNT}


def describe(choice: ItemChoice) -> str:
    """ "New to the customer, at most 2 of a category, nothing from the last 3 messages"."""
    rules = choice.rules
    bought = {
        EXCLUDE: _("new to the customer"),
        ONLY: _("only what the customer bought before"),
        ALLOW: _("new or bought before"),
    }[rules.bought]
    parts = [bought, *_which_items(rules), _price(rules), *_which_list(rules)]
    text = _(", ").join(part for part in parts if part)
    return text[:1].upper() + text[1:]


def _which_items(rules: Rules) -> list[str]:
    parts = []
    if rules.categories:
        parts.append(_("only from %(names)s") % {"names": _names(rules.categories)})
    if rules.not_categories:
        parts.append(_("nothing from %(names)s") % {"names": _names(rules.not_categories)})
    if rules.brands:
        parts.append(_("only by %(names)s") % {"names": _names(rules.brands)})
    return parts


def _names(names: tuple[str, ...]) -> str:
    if len(names) <= NAMED:
        return _(" or ").join(names)
    more = len(names) - NAMED
    rest = ngettext("%(n)s more", "%(n)s more", more) % {"n": more}
    return _(" or ").join([*names[:NAMED], rest])


def _price(rules: Rules) -> str:
    low, high = (None if price is None else _amount(price) for price in (rules.price_min, rules.price_max))
    if low is not None and high is not None:
        return _("priced %(low)s to %(high)s") % {"low": low, "high": high}
    if low is not None:
        return _("priced %(low)s or more") % {"low": low}
    return _("priced %(high)s or less") % {"high": high} if high is not None else ""


def _amount(price: Any) -> str:
    return number_format(price.quantize(0) if price == price.to_integral_value() else price)


def _which_list(rules: Rules) -> list[str]:
    parts = []
    if rules.max_per_category:
        parts.append(_("at most %(n)s of a category") % {"n": rules.max_per_category})
    if n := rules.not_in_last_messages:
        parts.append(
            ngettext("nothing from the last message", "nothing from the last %(n)s messages", n) % {"n": n}
        )
    if rules.diversity is not None and rules.diversity < 1:
        parts.append(_variety(rules.diversity))
    if n := len(rules.pinned):
        parts.append(ngettext("%(n)s pinned first", "%(n)s pinned first", n) % {"n": n})
    if n := len(rules.not_items):
        parts.append(ngettext("%(n)s item left out", "%(n)s items left out", n) % {"n": n})
    return parts


def _variety(diversity: float) -> str:
    if diversity >= LITTLE_VARIETY:
        return _("a little more variety")
    return _("more variety") if diversity >= MORE_VARIETY else _("much more variety")
