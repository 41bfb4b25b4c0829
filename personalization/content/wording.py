"""Filters that bend words: `article`, `plural`, `pluralize`, `measure`, `listed`."""

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from liquid.exceptions import FilterArgumentError
from liquid.filter import with_context
from liquid.undefined import is_undefined

from personalization.content.filters import _language
from personalization.content.grammar import chinese, english, plurals

if TYPE_CHECKING:
    from liquid import Environment, RenderContext


def register(environment: "Environment") -> None:
    environment.add_filter("article", article)
    environment.add_filter("plural", plural)
    environment.add_filter("pluralize", pluralize)
    environment.add_filter("measure", measure)
    environment.add_filter("listed", listed)


def _number(value: object, name: str) -> Decimal | None:
    if value is None or is_undefined(value) or value == "":
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise FilterArgumentError(f"{name}: {str(value)[:40]!r} is not a number", token=None)
    return number


def _words(value: object) -> str:
    return "" if value is None or is_undefined(value) else str(value)


def article(value: object) -> str:
    """`{{ "apple" | article }}`: an apple. English."""
    return english.article(_words(value))


@with_context
def plural(value: object, one: object, other: object = "", *, context: "RenderContext") -> str:
    """`{{ n }} {{ n | plural: "point", "points" }}`: the word that goes with the number.

    Without the second word the first is bent as in English. Empty for a missing number.
    """
    number = _number(value, "plural")
    if number is None:
        return ""
    is_one = plurals.is_one(float(number), _language(context, ""))
    if is_one is None:
        is_one = number == 1
    return _words(one) if is_one else _words(other) or english.pluralize(_words(one))


def pluralize(value: object) -> str:
    """`{{ "scarf" | pluralize }}`: scarves. English."""
    return english.pluralize(_words(value))


def measure(value: object, word: object) -> str:
    """`{{ 2 | measure: "件" }}`: 两件. Empty for a missing number."""
    number = _number(value, "measure")
    if number is None:
        return ""
    if number != int(number):
        return f"{number.normalize():f}{_words(word)}"
    return chinese.measure(int(number), _words(word))


@with_context
def listed(value: Any, *, context: "RenderContext") -> str:
    """`{{ names | listed }}`: a, b and c."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        return _words(value)
    return plurals.listed([_words(one) for one in value if _words(one)], _language(context, ""))
