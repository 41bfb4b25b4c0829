"""How much a template's filters may take and make, and what work costs."""

from collections.abc import Callable
from typing import Any, Protocol

from liquid.exceptions import FilterArgumentError

CHARACTERS_PER_FUEL = 8
MAX_TEXT = 20_000  # characters in the input or the result of a filter
MAX_LIST = 1_000
MAX_NUMBER = 10**30


class Charged(Protocol):
    def charge(self, amount: int) -> None: ...


def bounded(function: Callable[..., object], name: str, context: Charged, *args: Any, **kw: Any) -> object:
    """Runs a filter on bounded input and refuses an unbounded result."""
    for value in args:
        check_size(value)
    if name == "replace" and len(args) > 2:
        # The only filter whose result is the product of its inputs: refused before it is made.
        size = len(str(args[0])) * max(len(str(args[2])), 1)
        if size > MAX_TEXT * 20:
            raise FilterArgumentError("the replaced text is too long", token=None)
    result = function(*args, **kw)
    check_size(result)
    context.charge(4 + (len(result) // 64 if isinstance(result, str | list) else 0))
    return result


def check_size(value: object) -> None:
    if isinstance(value, str):
        if len(value) > MAX_TEXT:
            raise FilterArgumentError("the text is too long", token=None)
    elif isinstance(value, list | tuple | range):
        if len(value) > MAX_LIST:
            raise FilterArgumentError("the list is too long", token=None)
    elif isinstance(value, int) and not -MAX_NUMBER < value < MAX_NUMBER:
        raise FilterArgumentError("the number is too large", token=None)
