"""Which ids may join two profiles: explicit rules, each with limits that keep people from being chained.

Never by any rule: two profiles with customer ids of their own. Those are joined by staff, or by an `alias`
call where the rule of customer ids allows it.
"""

from dataclasses import dataclass

from personalization.customers.identity_models import IdentifierKind, IdentityRule

# What clients send when they know nobody: such an id names no one and joins nothing.
_MEANINGLESS = {
    "", "0", "-1", "anonymous", "anonymous_id", "anonymousid", "false", "guest", "id", "nan", "nil", "none",
    "not_authenticated", "null", "test", "true", "undefined", "unknown", "user", "visitor", "[object object]",
}  # fmt: skip


@dataclass(frozen=True)
class Rule:
    """As `IdentityRule`, without a database."""

    joins: bool
    most_customers: int = 1
    most_joins: int = 100
    moves: bool = False


DEFAULTS = {
    # An alias call stands in every browser: what it says of two customers is believed only when switched on.
    IdentifierKind.USER_ID: Rule(joins=False),
    IdentifierKind.ANONYMOUS_ID: Rule(joins=True),
    # Few on purpose: behind a much used address stand many people.
    IdentifierKind.EMAIL: Rule(joins=True, most_joins=5),
    IdentifierKind.PHONE: Rule(joins=True, most_joins=5),
    IdentifierKind.DEVICE: Rule(joins=False, moves=True),
    IdentifierKind.PUSH_TOKEN: Rule(joins=False, moves=True),
}


def load_rules() -> dict[str, Rule]:
    """The rule of every kind."""
    rules: dict[str, Rule] = {kind.value: rule for kind, rule in DEFAULTS.items()}
    for row in IdentityRule.objects.all():
        rules[row.kind] = Rule(row.joins, row.most_customers, row.most_joins, row.moves)
    return rules


def is_meaningless(value: str) -> bool:
    """Whether an id says nothing: a placeholder such as `null`, or nothing but zeros."""
    text = value.strip().lower()
    return text in _MEANINGLESS or not text.strip("0-")
