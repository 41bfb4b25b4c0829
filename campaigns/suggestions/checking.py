"""Whether a suggested text may become a draft: every reason why not, as sentences."""

import json
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

from django.utils.translation import gettext as _

from campaigns.suggestions import templating
from campaigns.suggestions.brief import LIMITS, OFFERED, Brief
from campaigns.suggestions.facts import Facts
from personalization.language_model.errors import Unusable

MARKUP = re.compile(r"<[a-zA-Z/!?]|&#?\w+;")
LONGEST_QUOTE = 60
MOST_PROBLEMS = 8


def read_answer(answer: str, *, most: int) -> list[str]:
    """The texts of an answer. Raises Unusable."""
    text = answer.strip()
    if text.startswith("```"):
        text = re.sub(r"^```\w*\s*|\s*```$", "", text)
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise Unusable(_("The language model did not answer in the form it was asked for.")) from None
    found = data.get("suggestions") if isinstance(data, dict) else None
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise Unusable(_("The language model did not answer in the form it was asked for."))
    texts = list(dict.fromkeys(one.replace("\r\n", "\n").strip() for one in found))
    texts = [one for one in texts if one][:most]
    if not texts:
        raise Unusable(_("The language model had no suggestion."))
    return texts


def problems_of(text: str, brief: Brief, *, banned: Sequence[str], known_names: Sequence[str]) -> list[str]:
    """Sentences; none for a text that may become a draft."""
    return list(_problems(text, brief, banned=banned, known_names=known_names))[:MOST_PROBLEMS]


def _problems(text: str, brief: Brief, *, banned: Sequence[str], known_names: Sequence[str]) -> Iterator[str]:
    limit = min(brief.limit, LIMITS[brief.field])  # type: ignore[index]
    if len(text) > limit:
        yield _("It has %(n)s characters, %(limit)s are allowed.") % {"n": len(text), "limit": limit}
        return  # nobody needs to know what else is wrong
    if any(_is_hidden(sign, one_line=brief.field != "body") for sign in text):
        yield _("It holds line breaks or invisible signs.")
    if MARKUP.search(text):
        yield _("It holds HTML.")
    for placeholder in templating.wrong_placeholders(text, source=brief.source, offered=OFFERED):
        yield _("“%(words)s” is no placeholder of the text.") % {"words": placeholder[:LONGEST_QUOTE]}
    words = templating.split(text)[1]
    folded = unicodedata.normalize("NFKC", words).casefold()
    for word in banned:
        if _stands_in(unicodedata.normalize("NFKC", word).casefold(), folded):
            yield _("“%(words)s” is among the banned words.") % {"words": word}
    facts = Facts([templating.split(one)[1] for one in brief.given], known_names=known_names)
    for kind, quote in facts.problems(words):
        yield _why(kind) % {"words": quote[:LONGEST_QUOTE]}


def _is_hidden(sign: str, *, one_line: bool) -> bool:
    if sign == "\n":
        return one_line
    # Joiners are part of emoji and of some scripts; directions and other marks turn words around.
    return unicodedata.category(sign) in ("Cc", "Cf", "Co", "Cn", "Zl", "Zp") and sign not in "\u200d\u200c"


def _stands_in(word: str, text: str) -> bool:
    edge = r"(?<!\w)", r"(?!\w)"
    is_spaced = word.isascii()
    pattern = f"{edge[0]}{re.escape(word)}{edge[1]}" if is_spaced else re.escape(word)
    return re.search(pattern, text) is not None


def _why(kind: str) -> Any:
    return {
        "link": _("The link “%(words)s” is not among the facts."),
        "date": _("The date “%(words)s” is not among the facts."),
        "time": _("The time “%(words)s” is not among the facts."),
        "percent": _("The percentage “%(words)s” is not among the facts."),
        "money": _("The price “%(words)s” is not among the facts."),
        "number": _("The number “%(words)s” is not among the facts."),
        "claim": _("“%(words)s” promises what is not among the facts."),
        "name": _("The name “%(words)s” is not among the facts."),
    }[kind]
