"""How many items a message's rules leave, and how many each of them takes away."""

from collections.abc import Collection

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.items.last_messages import items_of_last_messages
from recommender.inputs.histories import load_histories
from recommender.inputs.interactions import DEFAULT_EVENT_WEIGHTS
from recommender.ranking.rules import ALLOW, EXCLUDE, Rules
from recommender.ranking.stocktaking import load_assortment

# Rules about items, whoever the customer is.
FOR_EVERYBODY = "categories", "not_categories", "brands", "price_min", "price_max", "not_items"


def count_items(rules: Rules) -> tuple[int, int]:
    """Items that fit the rules, and all that may be recommended now (not hidden, in stock)."""
    assortment = load_assortment()
    return int(assortment.allowed(rules).sum()), len(assortment.item_ids)


def count_removed(rules: Rules, customer_id: int | None) -> dict[str, int]:
    """By rule, how many of all items that may be recommended it alone takes away: from everybody, or from
    this customer, if one is given. Only rules that are set; several may take the same item.
    """
    assortment = load_assortment()
    found = {}
    for name in FOR_EVERYBODY:
        value = getattr(rules, name)
        if value not in (None, ()):
            found[name] = int((~assortment.allowed(Rules(**{name: value}))).sum())
    if customer_id is None:
        return found
    if rules.bought != ALLOW:
        bought = load_histories([customer_id], event_weights=DEFAULT_EVENT_WEIGHTS).bought_items
        known = _count_shown(bought.tolist())
        found["bought"] = known if rules.bought == EXCLUDE else len(assortment.item_ids) - known
    if depth := rules.not_in_last_messages:
        found["not_in_last_messages"] = _count_shown(
            items_of_last_messages({customer_id: depth})[customer_id]
        )
    return found


def describe_removed(removed: dict[str, int]) -> list[str]:
    """ "Only these brands: 7 items fewer"."""
    names = rule_names()
    return [
        ngettext("%(rule)s: %(n)s item fewer", "%(rule)s: %(n)s items fewer", n)
        % {"rule": names[rule], "n": number_format(n)}
        for rule, n in removed.items()
    ]


def rule_names() -> dict[str, str]:
    """As the editor calls them."""
    return {
        "item_count": _("How many items"), "bought": _("New or bought before"),
        "not_in_last_messages": _("Not again for … messages"), "diversity": _("Variety"),
        "max_per_category": _("Most of one category"), "price_min": _("Price from"),
        "price_max": _("Price to"), "categories": _("Only these categories"),
        "not_categories": _("Not these categories"), "brands": _("Only these brands"),
        "pinned": _("Pinned items"), "not_items": _("Never these items"),
    }  # fmt: skip


def idle_pins(rules: Rules) -> list[int]:
    """Pinned items that the other rules, or the stock, keep out for everybody."""
    assortment = load_assortment()
    allowed, places = assortment.allowed(rules), assortment.places(rules.pinned)
    return [item for item, at in zip(rules.pinned, places, strict=True) if at < 0 or not allowed[at]]


def _count_shown(item_ids: Collection[int]) -> int:
    places = load_assortment().places(sorted(set(item_ids)))
    return int((places >= 0).sum())
