"""Which form of a word goes with a number, and how words are listed, by language.

Source: Unicode CLDR, "Language Plural Rules" (cardinals); languages with more than two forms
are not here.
"""

from collections.abc import Sequence

ONE_FORM = frozenset({"zh", "ja", "ko", "th", "vi", "id", "ms"})
ONE_OTHER = frozenset({"en", "de", "nl", "sv", "da", "nb", "no", "fi", "it", "es", "el", "hu", "tr", "et"})
ZERO_IS_ONE = frozenset({"fr", "pt", "hy"})
AND = {"en": " and ", "de": " und ", "fr": " et ", "es": " y ", "it": " e ", "nl": " en ", "pt": " e "}


def is_one(number: float, language: str) -> bool | None:
    """Whether the word for one goes with the number; None for a language whose rules are not known here."""
    if language in ONE_FORM:
        return False
    if language in ONE_OTHER:
        return number == 1
    if language in ZERO_IS_ONE:
        return 0 <= number < 2
    return None


def listed(words: Sequence[str], language: str) -> str:
    """ "a, b and c"; "a、b和c" in Chinese."""
    between, last = ("、", "和") if language == "zh" else (", ", AND.get(language, ", "))
    return between.join(words) if len(words) < 2 else between.join(words[:-1]) + last + words[-1]
