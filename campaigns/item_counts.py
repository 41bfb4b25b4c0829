"""How many items a message's rules leave, before anything is known of the customer."""

from recommender.rules import Rules
from recommender.stocktaking import load_assortment


def count_items(rules: Rules) -> tuple[int, int]:
    """Items that fit the rules, and all that may be recommended now (not hidden, in stock)."""
    assortment = load_assortment()
    return int(assortment.allowed(rules).sum()), len(assortment.item_ids)


def idle_pins(rules: Rules) -> list[int]:
    """Pinned items that the other rules, or the stock, keep out for everybody."""
    assortment = load_assortment()
    allowed, places = assortment.allowed(rules), assortment.places(rules.pinned)
    return [item for item, at in zip(rules.pinned, places, strict=True) if at < 0 or not allowed[at]]
