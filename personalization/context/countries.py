"""Two-letter codes of countries that files and clients call by name or by other codes. Pure: no database."""

from functools import cache

from babel import Locale
from babel.core import get_global

# What people write beside the official names.
OTHERS = {
    "burma": "MM", "czech republic": "CZ", "eire": "IE", "england": "GB", "great britain": "GB",
    "holland": "NL", "hong kong": "HK", "ivory coast": "CI", "macao": "MO", "macau": "MO",
    "macedonia": "MK", "rsa": "ZA", "scotland": "GB", "swaziland": "SZ", "turkey": "TR", "wales": "GB",
    "united states of america": "US", "香港": "HK", "澳门": "MO",
}  # fmt: skip
# Those in which shops write their lists; the names of no two countries are the same in any of them.
LANGUAGES = ("en", "zh", "de", "fr", "es", "it", "nl", "pt", "pl", "ja")


def code_of(country: str) -> str:
    """“United Kingdom”, “Deutschland”, “中国” or “USA” as GB, DE, CN, US; "" for what is none of them."""
    return _codes().get(country.casefold(), "")


@cache
def _codes() -> dict[str, str]:
    # Three letters and three digits of ISO 3166, and what else stands for one country alone.
    found = {alias.casefold(): to[0] for alias, to in get_global("territory_aliases").items() if len(to) == 1}
    for language in LANGUAGES:
        names = Locale.parse(language).territories.items()
        found |= {name.casefold(): code for code, name in names if len(code) == 2 and code.isalpha()}
    return found | OTHERS
