"""What a list may hold: rules as a campaign or a caller states them, and the choice that obeys them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext as _

EXCLUDE, ONLY, ALLOW = "exclude", "only", "allow"
MAX_ENTRIES = 1_000
MAX_MESSAGES = 100
MAX_PRICE = Decimal(10) ** 12


class RulesError(ValueError):
    """`errors` are {"pointer": JSON pointer into the rules, "detail": sentence}, all of them at once."""

    def __init__(self, errors: list[dict[str, str]]) -> None:
        super().__init__("; ".join(f"{error['pointer']}: {error['detail']}" for error in errors))
        self.errors = errors


@dataclass(frozen=True)
class Rules:
    """Hidden items and items out of stock are never shown; these rules come on top.

    `bought`: "exclude", "only" or "allow" what the customer bought. `categories` (of any level), `brands` and
    prices (both ends included) must fit, empty or None for no rule; an item without a price fits no price
    rule. `max_per_category` counts the narrowest category; items without a category are not counted.
    `pinned` item ids come first, as far as the other rules let them. `not_items` never come.

    `diversity` is λ of marginal relevance, above 0 and up to 1: 1 ranks by the model alone, less
    gives weight to how little an item resembles those before it; None leaves the model's order.
    `not_in_last_messages`: items that stood in that many of the customer's last messages are left out; who
    sends messages knows them, and passes them on as `left_out`.
    """

    bought: str = EXCLUDE
    categories: tuple[str, ...] = ()
    not_categories: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    price_min: Decimal | None = None
    price_max: Decimal | None = None
    max_per_category: int | None = None
    pinned: tuple[int, ...] = ()
    not_items: tuple[int, ...] = ()
    diversity: float | None = None
    not_in_last_messages: int = 0

    @classmethod
    def from_json(cls, raw: object) -> "Rules":
        """Raises RulesError; a key that is not known is an error, a missing one means no rule."""
        if not isinstance(raw, Mapping):
            raise RulesError([{"pointer": "", "detail": _("Give an object.")}])
        errors: list[dict[str, str]] = []
        values: dict[str, Any] = {}
        for key, value in raw.items():
            pointer = "/" + str(key).replace("~", "~0").replace("/", "~1")
            try:
                if key not in _READERS:
                    raise ValueError(_("Remove this: it is not known here."))
                values[key] = _READERS[key](value)
            except ValueError as error:
                errors.append({"pointer": pointer, "detail": str(error)})
        low, high = values.get("price_min"), values.get("price_max")
        if low is not None and high is not None and low > high:
            errors.append(
                {"pointer": "/price_max", "detail": _("The highest price is less than the lowest.")}
            )
        if errors:
            raise RulesError(errors)
        return cls(**values)

    def as_json(self) -> dict[str, Any]:
        """Only what differs from no rule; prices as texts, so that no cent is lost."""
        values = {part.name: getattr(self, part.name) for part in fields(self)}
        plain = {Decimal: str, tuple: list}
        return {
            name: plain.get(type(value), lambda same: same)(value)
            for name, value in values.items()
            if value != getattr(Rules, name)
        }


def _bought(value: object) -> str:
    if value not in (EXCLUDE, ONLY, ALLOW):
        raise ValueError(_("Give exclude, only or allow."))
    return str(value)


def _texts(value: Any) -> tuple[str, ...]:
    if not _is_short_list(value) or not all(isinstance(v, str) and v and "\0" not in v for v in value):
        raise ValueError(_("Give a list of texts, 1,000 at most."))
    return tuple(dict.fromkeys(value))


def _ids(value: Any) -> tuple[int, ...]:
    if not _is_short_list(value) or not all(type(v) is int and 0 < v < 2**63 for v in value):
        raise ValueError(_("Give a list of item numbers, 1,000 at most."))
    return tuple(dict.fromkeys(value))


def _is_short_list(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) <= MAX_ENTRIES


def _price(value: object) -> Decimal | None:
    if value is None:
        return None
    try:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise InvalidOperation
        price = Decimal(str(value))
    except InvalidOperation:
        price = Decimal("NaN")
    if not price.is_finite() or not 0 <= price <= MAX_PRICE:
        raise ValueError(_("Give an amount of 0 or more."))
    return price


def _count(value: Any) -> int | None:
    if value is not None and (type(value) is not int or value < 1):
        raise ValueError(_("Give a whole number of 1 or more."))
    return None if value is None else int(value)


def _share(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
        raise ValueError(_("Give a number above 0, at most 1."))
    return float(value)


def _messages(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= MAX_MESSAGES:
        raise ValueError(_("Give a whole number from 0 to %(most)s.") % {"most": MAX_MESSAGES})
    return value


_READERS: dict[str, Callable[[Any], Any]] = {
    "bought": _bought, "categories": _texts, "not_categories": _texts, "brands": _texts,
    "price_min": _price, "price_max": _price, "max_per_category": _count,
    "pinned": _ids, "not_items": _ids, "diversity": _share, "not_in_last_messages": _messages,
}  # fmt: skip
