"""From traits as clients send them to typed columns and the JSON of all others. Pure: no database.

Names follow the `identify` call of the Segment spec; a nested `address` is looked into.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from personalization.context.countries import code_of
from personalization.context.times import is_zone
from personalization.customers.errors import InvalidTraits
from personalization.customers.phones import normalize_phone

MAX_DEPTH = 20
_SURROGATE = re.compile("[\ud800-\udfff]")
MOST = 10**38


class SplitTraits(NamedTuple):
    """`columns`: by column name, "" clears it. `others`: what becomes JSON, None removes the trait."""

    columns: dict[str, str]
    others: dict[str, Any]


def clean_text(text: str) -> str:
    """PostgreSQL stores neither NUL nor half a surrogate pair: the first is dropped, the second replaced."""
    if "\0" in text:
        text = text.replace("\0", "")
    return _SURROGATE.sub("\ufffd", text)


def clean_json(value: Any, *, depth: int = 0) -> Any:
    """The same JSON value as jsonb can hold it.

    Raises InvalidTraits for numbers beyond 38 digits, NaN and infinities, and nesting deeper than 20.
    """
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, (int, float)):
        if not -MOST < value < MOST:
            raise InvalidTraits(_("a number is too large"))
        return value
    if depth >= MAX_DEPTH:
        raise InvalidTraits(_("nested too deeply"))
    if isinstance(value, Mapping):
        return {clean_text(str(key)): clean_json(entry, depth=depth + 1) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [clean_json(entry, depth=depth + 1) for entry in value]
    raise InvalidTraits(_("%s is not a JSON value") % type(value).__name__)


def _plain(limit: int) -> Callable[[str], str]:
    def check(text: str) -> str:
        if len(text) > limit:
            raise InvalidTraits(_("longer than %d characters") % limit)
        return text

    return check


def _email(text: str) -> str:
    # Deliverability is the sender's matter; here only what could never be an address is refused.
    local, at, domain = text.rpartition("@")
    if len(text) > 254 or not at or not local or not domain or re.search(r"[\s<>,;\"]", text):
        raise InvalidTraits(_("not an e-mail address"))
    return text


def _country(text: str) -> str:
    if re.fullmatch(r"[A-Za-z]{2}", text):
        return text.upper()
    if not (code := code_of(text)):
        raise InvalidTraits(_("neither the name nor the two-letter code of a country"))
    return code


def _language(text: str) -> str:
    tag = text.replace("_", "-").partition(".")[0]
    if not re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*", tag) or len(tag) > 16:
        raise InvalidTraits(_("not a language tag"))
    return tag


def _time_zone(text: str) -> str:
    if not is_zone(text):
        raise InvalidTraits(_("not a time zone of the IANA list"))
    return text


_CHECKS: dict[str, Callable[[str], str]] = {
    "email": _email,
    "phone": _plain(32),
    "first_name": _plain(100),
    "last_name": _plain(100),
    "language": _language,
    "country": _country,
    "city": _plain(100),
    "time_zone": _time_zone,
}
COLUMNS = tuple(_CHECKS)
# Spelling as sent, without case, "_", "-" and spaces, to our column.
_ALIASES = {
    "email": "email", "emailaddress": "email", "phone": "phone", "firstname": "first_name",
    "lastname": "last_name", "language": "language", "locale": "language", "country": "country",
    "countrycode": "country", "city": "city", "timezone": "time_zone",
}  # fmt: skip
# Where a bad value is kept as an ordinary trait instead of being refused: clients fill these with free text.
_LENIENT = {"country", "language", "time_zone"}


@lru_cache(maxsize=4096)
def column_of(name: str) -> str | None:
    """The standard column a trait of this name belongs to, None for all others."""
    return _ALIASES.get(re.sub(r"[_\-\s]", "", name).lower())


def check_column(column: str, value: Any) -> str:
    """The value as the column stores it; None and "" clear it. Raises InvalidTraits."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise InvalidTraits(f"{column}: {_('not a text')}")
    text = clean_text(str(value)).strip()
    try:
        return _CHECKS[column](text) if text else ""
    except InvalidTraits as error:
        raise InvalidTraits(f"{column}: {error}") from None


def split_traits(traits: Mapping[str, Any]) -> SplitTraits:
    """Standard traits to columns, everything else cleaned for JSON.

    `name` fills first and last name when those are not given; `address.country` and `address.city` fill
    country and city. A country, language or time zone we cannot read stays an ordinary trait. A phone number
    becomes E.164 where its country is told. Raises InvalidTraits naming the trait.
    """
    columns: dict[str, str] = {}
    others: dict[str, Any] = {}
    for name, value in traits.items():
        column = column_of(name)
        try:
            if column is None:
                others[clean_text(name)[:200]] = clean_json(value)
            else:
                columns[column] = check_column(column, value)
        except InvalidTraits as error:
            if column not in _LENIENT:
                raise InvalidTraits(str(error) if column else f"{clean_text(name)[:50]}: {error}") from None
            others[clean_text(name)[:200]] = clean_json(value)
    _from_address(traits.get("address"), columns)
    _from_name(others.get("name"), columns)
    if columns.get("phone"):
        columns["phone"] = normalize_phone(columns["phone"], country=columns.get("country", ""))
    return SplitTraits(columns, others)


def _from_address(address: Any, columns: dict[str, str]) -> None:
    if not isinstance(address, Mapping):
        return
    for column in ("country", "city"):
        value = address.get(column)
        if value and column not in columns:
            try:
                columns[column] = check_column(column, value)
            except InvalidTraits:
                continue  # it stays inside the trait `address`


def _from_name(name: Any, columns: dict[str, str]) -> None:
    if isinstance(name, str) and name.strip() and not {"first_name", "last_name"} & columns.keys():
        first, _, last = name.strip().partition(" ")
        columns["first_name"], columns["last_name"] = first[:100], last.strip()[:100]
