"""How many items a message's rules leave, before anything is known of the customer."""

from personalization.catalog.selectors import recommendable_ids
from recommender.rules import Rules
from recommender.selectors import allowed_items


def count_items(rules: Rules) -> tuple[int, int]:
    """Items that fit the rules, and all that may be recommended now (not hidden, in stock)."""
    return len(allowed_items(rules).keys() - set(rules.not_items)), len(recommendable_ids())


def idle_pins(rules: Rules) -> list[int]:
    """Pinned items that the other rules, or the stock, keep out for everybody."""
    allowed = allowed_items(rules).keys() - set(rules.not_items)
    return [item for item in rules.pinned if item not in allowed]
