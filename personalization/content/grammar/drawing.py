"""Rules of phrases → one text, the same for the same seed.

A phrase can be taken when its condition holds, no value in it is missing, it agrees with what it has to agree
with, and each rule that it calls has such a phrase. Among those, each is drawn as often as its weight says;
what the customer read lately comes only when nothing else is left, the oldest first.

Every phrase runs a race of its own (an exponential time with its weight as rate; the first wins), so a phrase
that is added, changed or cannot be taken moves nobody who would not have got it. Source: Efraimidis and
Spirakis (2006), "Weighted random sampling with a reservoir", section 3.
"""

import hashlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from personalization.content.grammar.reading import START, Call, Phrase, Rules

# What became of a phrase, in the order in which it is asked.
CHOSEN, CONDITION, AGREEMENT, MISSING, DEAD_END, RECENT, NOT_DRAWN = (
    "chosen", "condition", "agreement", "missing", "dead_end", "recent", "not_drawn",
)  # fmt: skip


class Voice(Protocol):
    """What a customer and the moment make of conditions and values."""

    def holds(self, condition: str) -> bool: ...

    def say(self, piece: str) -> str | None:
        """The words of a piece of text; None when a value in it is missing."""


@dataclass(frozen=True)
class Drawn:
    """One phrase at its place. `children` in the order of its parts; `others`: what became of its rivals."""

    phrase: Phrase
    children: tuple["str | Drawn", ...]
    others: tuple[tuple[Phrase, str], ...] = ()

    @property
    def text(self) -> str:
        return "".join(one if isinstance(one, str) else one.text for one in self.children)

    @property
    def keys(self) -> list[str]:
        return [self.phrase.key, *(k for one in self.children if isinstance(one, Drawn) for k in one.keys)]

    @property
    def forms(self) -> frozenset[str]:
        inner = (one.forms for one in self.children if isinstance(one, Drawn))
        return self.phrase.forms.union(*inner)


@dataclass
class _Draw:
    rules: Rules
    voice: Voice
    seed: str
    recent: Mapping[str, int]
    is_explained: bool
    # What was drawn last for each rule, for those that have to agree with it.
    last: dict[str, Drawn] = field(default_factory=dict)


def draw(
    rules: Rules, voice: Voice, *, seed: str, recent: Mapping[str, int] | None = None,
    is_explained: bool = False,
) -> Drawn | None:  # fmt: skip
    """None when no phrase of `start` can be taken. `recent`: by a phrase's key, how many messages ago the
    customer read it (1 is the last one). `is_explained`: also tell what became of each rival."""
    return _rule(_Draw(rules, voice, seed, recent or {}, is_explained), Call(START), "")


def _rule(draw: _Draw, call: Call, path: str) -> Drawn | None:
    verdicts: list[tuple[Phrase, str]] = []
    found: Drawn | None = None
    for phrase, verdict in _ranked(draw, call, path):
        if verdict:
            verdicts.append((phrase, verdict))
            continue
        if found is not None and not draw.is_explained:
            break
        before = dict(draw.last)
        children, why = _children(draw, phrase, f"{path}/{phrase.key}")
        if why or found is not None:
            draw.last = before
            verdicts.append((phrase, why or (RECENT if phrase.key in draw.recent else NOT_DRAWN)))
        else:
            found = Drawn(phrase, children)
    if found is None:
        return None
    found = Drawn(found.phrase, found.children, tuple(verdicts))
    draw.last[call.rule] = found
    return found


def _ranked(draw: _Draw, call: Call, path: str) -> Iterator[tuple[Phrase, str]]:
    """The phrases of a rule: those that cannot be taken with their verdict, then the others in order."""
    wanted = draw.last[call.agrees].forms if call.agrees in draw.last else frozenset[str]()
    rows: list[tuple[int, int, float, Phrase]] = []
    for phrase in draw.rules[call.rule]:
        if call.agrees and not phrase.forms <= wanted:
            yield phrase, AGREEMENT
        elif phrase.when and not draw.voice.holds(phrase.when):
            yield phrase, CONDITION
        else:
            # Who agrees in more is meant more: “are @form plural” before “is”.
            special = -len(phrase.forms) if call.agrees else 0
            rows.append((special, -_age(draw, phrase), _race(f"{draw.seed}|{path}", phrase), phrase))
    rows.sort(key=lambda row: row[:3])
    yield from ((row[3], "") for row in rows)


def _age(draw: _Draw, phrase: Phrase) -> int:
    """Never read is older than anything."""
    return draw.recent.get(phrase.key, 1_000_000)


def _race(seed: str, phrase: Phrase) -> float:
    digest = hashlib.blake2b(f"{seed}|{phrase.key}|{phrase.when}".encode(), digest_size=8).digest()
    uniform = (int.from_bytes(digest) + 0.5) / 2**64
    return -math.log(uniform) / phrase.weight


def _children(draw: _Draw, phrase: Phrase, path: str) -> tuple[tuple[str | Drawn, ...], str]:
    """What stands at each part, and why not when the phrase cannot be taken."""
    found: dict[int, str | Drawn] = {}
    for number, part in enumerate(phrase.parts):
        if isinstance(part, str):
            words = draw.voice.say(part) if part.startswith("{{") else part
            if words is None:
                return (), MISSING
            found[number] = words
    # Those that have to agree come last: an article may stand before its noun.
    calls = [(number, part) for number, part in enumerate(phrase.parts) if isinstance(part, Call)]
    for number, call in sorted(calls, key=lambda one: bool(one[1].agrees)):
        inner = _rule(draw, call, f"{path}.{number}")
        if inner is None:
            return (), DEAD_END
        found[number] = inner
    return tuple(found[number] for number in range(len(phrase.parts))), ""
