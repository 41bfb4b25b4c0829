"""Whether a text says only what is given: figures, claims, links and names. No Django.

`given` are the texts that a suggestion may take facts from: the source, what the author wrote, item facts.
A problem is (kind, words): the kinds are the keys of `words.WHY`.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from decimal import Decimal

from campaigns.suggestions.claims import WEEKDAYS, claims, weekdays
from campaigns.suggestions.numerals import MONTHS, Figures, figures

Problem = tuple[str, str]

_ENDINGS = (
    "com|net|org|io|co|cn|de|uk|fr|eu|shop|store|app|info|biz|me|ru|top|xyz|example|link|site|online|dev|ly"
)
LINK = re.compile(
    r"\b[a-z][a-z0-9+.-]{1,20}:\s*//\S*|\b(?:javascript|data|vbscript|file|mailto|tel|sms|blob|intent)\s*:\s*\S+"
    rf"|\bwww\.\S+|\b(?:[a-z0-9-]+\.)+(?:{_ENDINGS})\b\S*|[\w.+-]+@[\w-]+\.\w+",
    re.IGNORECASE,
)
_PAIRS = ("“”", '""', "「」", "《》", "『』", "«»")
QUOTED = re.compile("|".join(f"{pair[0]}([^{pair[1]}]{{1,80}}){pair[1]}" for pair in _PAIRS))
GREETED = re.compile(
    r"\b(?:Hi|Hello|Hey|Dear|Welcome)(?: back)?,? +([A-Z][^\W\d_]+)|亲爱的([\u4e00-\u9fff]{1,4})"
)
ANYBODY = {
    "there", "friend", "friends", "everyone", "all", "you", "again", "to", "customer", "member",
    "朋友", "朋友们", "顾客", "客户", "您", "你", "会员", "大家", "用户",
}  # fmt: skip
WORD = re.compile(r"[^\W\d_](?:[^\W\d_]|['’-])*")
# Days and months are looked at elsewhere.
NO_NAMES = {"i", "i'm", "i'll", "i'd", "i've", "vip", "new", "ok", "ps"} | {
    *MONTHS,
    *map(str.lower, WEEKDAYS),
}
SENTENCE_END = re.compile(r"[.!?…:;。！？：；\n–—|()\[\]“\"「《]\s*$")


class Facts:
    """`known_names`: brands and items of the shop; those that are not given may not be named."""

    def __init__(self, given: Sequence[str], *, known_names: Sequence[str] = ()) -> None:
        self._text = _folded("\n".join(given))
        self._figures = figures("\n".join(given))
        self._claims = set(claims("\n".join(given))) | weekdays(self._figures.of("date"))  # type: ignore[arg-type]
        self._words = set(WORD.findall(self._text))
        if self._figures.of("percent"):
            self._claims |= {"reduced"}
        self._known_names = known_names

    def problems(self, text: str) -> list[Problem]:
        """In the order of their kinds; none for a text that says only what is given."""
        without_links = LINK.sub(" ", text)
        return [
            *(("link", link) for link in LINK.findall(text) if _folded(link) not in self._text),
            *self._wrong_figures(figures(without_links)),
            *(("claim", words) for name, words in claims(text).items() if name not in self._claims),
            *self._names(without_links),
        ]

    def _wrong_figures(self, stated: Figures) -> Iterator[Problem]:
        ours = self._figures
        numbers = ours.of("number") | ours.of("word") | ours.of("percent")
        for pair in ours.of("money") | ours.of("date"):
            assert isinstance(pair, tuple)
            # The amount without its currency; the year of a date.
            if isinstance(pair[1], Decimal):
                numbers.add(pair[1])
            elif pair[0]:
                numbers.add(Decimal(pair[0]))
        for kind, words, readings in stated.found:
            if kind == "date":
                right = any(_agree(one, known) for one in readings for known in ours.of("date"))
            elif kind in ("number", "word"):
                right = bool(readings & numbers)
            else:
                right = bool(readings & ours.of(kind))
            if not right:
                yield ("number" if kind == "word" else kind), words

    def _names(self, text: str) -> Iterator[Problem]:
        told: set[str] = set()
        for match in QUOTED.finditer(text):
            words = next(group for group in match.groups() if group)
            if _folded(words).strip(" .,!?") not in self._text:
                told.add(words)
        for match in GREETED.finditer(text):
            name = match[1] or match[2]
            if _folded(name) not in ANYBODY and not self._is_given(name):
                told.add(name)
        folded = _folded(text)
        for name in self._known_names:
            if _folded(name) not in self._text and re.search(
                rf"(?<!\w){re.escape(_folded(name))}(?!\w)", folded
            ):
                told.add(name)
        told.update(word for word in _capitalized(text) if not self._is_given(word))
        yield from (("name", name) for name in sorted(told))

    def _is_given(self, word: str) -> bool:
        word = re.sub(r"['’]s$", "", _folded(word))
        return word in self._words or (not word.isascii() and word in self._text)


def _capitalized(text: str) -> Iterator[str]:
    """Words with a capital inside of sentences; none of a title in which most words have one."""
    words = list(WORD.finditer(text))
    long = [match[0] for match in words if len(match[0]) > 3 and match[0].isascii()]
    if len(long) > 2 and sum(word[0].isupper() for word in long) >= 0.7 * len(long):
        return
    for match in words:
        word, before = match[0], text[: match.start()]
        if not word.isascii() or not word[0].isupper() or _folded(word) in NO_NAMES:
            continue
        if before.strip() and not SENTENCE_END.search(before):
            yield word


def _agree(one: object, known: object) -> bool:
    assert isinstance(one, tuple)
    assert isinstance(known, tuple)
    return all(mine is None or mine == theirs for mine, theirs in zip(one, known, strict=True)) or (
        # A year that nobody gave is not a fact.
        known[0] is None and one[0] is None and one[1:] == known[1:]
    )


def _folded(text: object) -> str:
    found = text if isinstance(text, str) else ""
    return unicodedata.normalize("NFKC", found).casefold().replace("’", "'")
