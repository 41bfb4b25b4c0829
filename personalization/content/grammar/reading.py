"""What an author writes → rules of phrases, or every problem with its line.

    start:
    - [hello], [offer]
    hello:
    - Good morning, {{ customer.first_name }}   @when context.daypart == "morning"
    - Hello                                     @weight 2

`name:` begins a rule, `-` a phrase; `[rule]` puts one phrase of that rule there, `[be with thing]` one whose
`@form`s fit those of the phrase drawn for `thing`. `\\[`, `\\]`, `\\@` and `\\\\` print themselves.
"""

import hashlib
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

START = "start"
MAX_RULES, MAX_PHRASES, MAX_LENGTH = 100, 1_000, 500  # the length of one phrase, in characters
MAX_WORK = 5_000  # phrases looked at for one text, if each is tried at every place where it may stand
RULE = re.compile(r"([a-z][a-z0-9_]{0,39}):")
OPTION = re.compile(r"(?:^|\s)@(when|weight|form)\s+")
PIECE = re.compile(
    r"(?P<value>\{\{.*?\}\})"
    r"|\[(?P<rule>[a-z][a-z0-9_]{0,39})(?:\s+with\s+(?P<agrees>[a-z][a-z0-9_]{0,39}))?\]"
    r"|\\(?P<plain>[\[\]@\\])"
    r"|(?P<wrong>\[|\]|\{%|\{\{)"
)
FORM = re.compile(r"[a-z][a-z0-9_-]{0,29}")


@dataclass(frozen=True)
class Call:
    """One phrase of `rule` stands here; with `agrees`, one that fits the phrase drawn for that rule."""

    rule: str
    agrees: str = ""


@dataclass(frozen=True)
class Phrase:
    """`key` names the phrase while its words stay the same. `parts`: plain text, `{{ values }}`, calls."""

    rule: str
    key: str
    source: str
    parts: tuple[str | Call, ...]
    when: str = ""
    weight: float = 1.0
    forms: frozenset[str] = frozenset()
    line: int = 0

    @property
    def calls(self) -> tuple[Call, ...]:
        return tuple(part for part in self.parts if isinstance(part, Call))


Rules = dict[str, list[Phrase]]


@dataclass(frozen=True)
class Mistake:
    """`kind` is a word that the pages have a sentence for; `about` is what it speaks of."""

    line: int
    kind: str
    about: str = ""


class ReadingError(ValueError):
    def __init__(self, mistakes: list[Mistake]) -> None:
        self.mistakes = mistakes
        super().__init__("; ".join(f"{m.line}: {m.kind} {m.about}".strip() for m in mistakes))


@dataclass
class _Reader:
    rules: Rules = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)
    rule: str = ""

    def complain(self, line: int, kind: str, about: str = "") -> None:
        self.mistakes.append(Mistake(line, kind, about[:80]))


def read_rules(source: str) -> Rules:
    """Raises ReadingError with every mistake."""
    reader = _Reader()
    for number, raw in enumerate(source.splitlines(), start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        if begins := RULE.fullmatch(line):
            _begin(reader, begins[1], number)
        elif line.startswith("- ") or line == "-":
            _phrase(reader, line[2:].strip(), number)
        else:
            reader.complain(number, "neither_rule_nor_phrase", line)
    _check(reader)
    if reader.mistakes:
        raise ReadingError(sorted(reader.mistakes, key=lambda one: one.line))
    return reader.rules


def _begin(reader: _Reader, name: str, line: int) -> None:
    if name in reader.rules:
        reader.complain(line, "rule_twice", name)
    reader.rule = name
    reader.rules.setdefault(name, [])
    reader.lines.setdefault(name, line)


def _phrase(reader: _Reader, text: str, line: int) -> None:
    if not reader.rule:
        reader.complain(line, "phrase_before_rule", text)
        return
    if len(text) > MAX_LENGTH:
        reader.complain(line, "phrase_too_long")
        return
    words, options = _options(reader, text, line)
    key = hashlib.sha256(f"{reader.rule}\n{words}".encode()).hexdigest()[:10]
    if any(one.key == key and one.when == options.get("when", "") for one in reader.rules[reader.rule]):
        reader.complain(line, "phrase_twice", words)
    reader.rules[reader.rule].append(
        Phrase(
            reader.rule, key, words, tuple(_parts(reader, words, line)), options.get("when", ""),
            _weight(reader, options, line), _forms(reader, options, line), line,
        )
    )  # fmt: skip


def _options(reader: _Reader, text: str, line: int) -> tuple[str, dict[str, str]]:
    words, *rest = OPTION.split(text)
    options: dict[str, str] = {}
    for name, value in zip(rest[::2], rest[1::2], strict=True):
        if name in options:
            reader.complain(line, "option_twice", name)
        options[name] = value.strip()
    return words.strip(), options


def _weight(reader: _Reader, options: dict[str, str], line: int) -> float:
    try:
        weight = float(options.get("weight", "1"))
    except ValueError:
        weight = math.nan
    if not 0 < weight <= 1_000:
        reader.complain(line, "weight", options["weight"])
        return 1.0
    return weight


def _forms(reader: _Reader, options: dict[str, str], line: int) -> frozenset[str]:
    forms = options.get("form", "").replace(",", " ").split()
    for form in forms:
        if not FORM.fullmatch(form):
            reader.complain(line, "form", form)
    return frozenset(forms)


def _parts(reader: _Reader, words: str, line: int) -> Iterator[str | Call]:
    plain, end = "", 0
    for match in PIECE.finditer(words):
        plain += words[end : match.start()]
        end = match.end()
        if match["plain"]:
            plain += match["plain"]
            continue
        if match["wrong"]:
            reader.complain(line, "bracket" if match["wrong"] in "[]" else "liquid", words[match.start() :])
            return
        if plain:
            yield plain
            plain = ""
        yield match["value"] or Call(match["rule"], match["agrees"] or "")
    if plain + words[end:]:
        yield plain + words[end:]


def _check(reader: _Reader) -> None:
    """What only shows when all rules are known."""
    rules = reader.rules
    if START not in rules:
        reader.complain(1, "no_start")
    if len(rules) > MAX_RULES or sum(map(len, rules.values())) > MAX_PHRASES:
        reader.complain(1, "too_many")
        return
    for name, phrases in rules.items():
        if not phrases:
            reader.complain(reader.lines[name], "empty_rule", name)
    for phrase in (phrase for phrases in rules.values() for phrase in phrases):
        named = {call.rule for call in phrase.calls} | {call.agrees for call in phrase.calls}
        for name in sorted(named - rules.keys() - {""}):
            reader.complain(phrase.line, "unknown_rule", name)
    if reader.mistakes:
        return
    if circle := _circle(rules):
        reader.complain(reader.lines[circle], "circle", circle)
    elif work(rules) > MAX_WORK:
        reader.complain(reader.lines[START], "too_much_work")


def _circle(rules: Rules) -> str:
    """A rule that comes back to itself; empty when there is none."""
    done: set[str] = set()

    def visit(name: str, above: frozenset[str]) -> str:
        if name in above:
            return name
        if name in done:
            return ""
        called = {call.rule for phrase in rules[name] for call in phrase.calls}
        found = next(filter(None, (visit(one, above | {name}) for one in sorted(called))), "")
        done.add(name)
        return found

    return next(filter(None, (visit(name, frozenset()) for name in rules)), "")


def _over_rules(rules: Rules, *, is_count: bool) -> int:
    known: dict[str, int] = {}

    def of(name: str) -> int:
        if name not in known:
            inner = [[of(call.rule) for call in phrase.calls] for phrase in rules[name]]
            known[name] = sum(math.prod(one) if is_count else 1 + sum(one) for one in inner)
        return known[name]

    return of(START)


def work(rules: Rules) -> int:
    """How many phrases are looked at for one text at most."""
    return _over_rules(rules, is_count=False)


def variety(rules: Rules) -> int:
    """How many different texts there are at most, values, conditions and agreement left aside."""
    return _over_rules(rules, is_count=True)
