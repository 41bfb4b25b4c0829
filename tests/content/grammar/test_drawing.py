"""Rules → one text: deterministic, by weight, agreeing, without repeating itself."""

import re
from collections import Counter

import pytest
from scipy.stats import chisquare

from personalization.content.grammar.drawing import Drawn, draw
from personalization.content.grammar.reading import MAX_WORK, ReadingError, read_rules, variety, work


class Plain:
    """Conditions are names that hold or not; values are looked up."""

    def __init__(self, true: str = "", **values: str) -> None:
        self.true, self.values = set(true.split()), values

    def holds(self, condition: str) -> bool:
        return condition in self.true

    def say(self, piece: str) -> str | None:
        return self.values.get(piece.strip("{} "))


def texts(source: str, voice: Plain | None = None, *, n: int = 300) -> list[str | None]:
    rules = read_rules(source)
    drawn = [draw(rules, voice or Plain(), seed=str(one)) for one in range(n)]
    return [one.text if one else None for one in drawn]


def test_the_same_seed_says_the_same() -> None:
    source = "start:\n- [a] [b]\na:\n- 1\n- 2\n- 3\nb:\n- x\n- y\n- z"
    assert texts(source) == texts(source)
    assert len(set(texts(source))) == 9 == variety(read_rules(source))


def test_phrases_are_drawn_as_often_as_their_weights_say() -> None:
    counts = Counter(texts("start:\n- a @weight 5\n- b @weight 3\n- c @weight 2", n=4000))
    assert chisquare([counts[one] for one in "abc"], [2000, 1200, 800]).pvalue > 0.01


def test_a_phrase_more_moves_only_those_who_get_it() -> None:
    before, after = texts("start:\n- a\n- b\n- c"), texts("start:\n- a\n- b\n- c\n- d")
    moved = [new for old, new in zip(before, after, strict=True) if old != new]
    assert moved and set(moved) == {"d"}


def test_a_phrase_whose_condition_fails_or_value_is_missing_is_never_taken() -> None:
    source = "start:\n- Hello {{ name }}\n- Good morning @when morning\n- Hi @weight 0.001"
    assert set(texts(source)) == {"Hi"}
    assert set(texts(source, Plain("morning"))) >= {"Good morning"}
    assert set(texts(source, Plain(name="Ann"))) == {"Hello Ann"} | (
        {"Hi"} & set(texts(source, Plain(name="Ann")))
    )
    assert set(texts("start:\n- [a]\n- b\na:\n- x @when never")) == {"b"}
    assert set(texts("start:\n- [a]\na:\n- x @when never")) == {None}


def test_words_agree_also_with_what_comes_after_them() -> None:
    source = (
        "start:\n- [art with noun] [noun] [is with noun] here\n"
        "art:\n- le @form masculine\n- la @form feminine\n- les @form plural\n"
        "noun:\n- livre @form masculine\n- table @form feminine\n- livres @form masculine plural\n"
        "is:\n- est\n- sont @form plural\n"
    )
    found = set(texts(source))
    assert {"le livre est here", "la table est here", "les livres sont here"} <= found
    # “le” and “les” both agree with a masculine plural: the author says which by another form.
    assert found <= {"le livre est here", "la table est here", "les livres sont here", "le livres sont here"}


def test_forms_of_inner_phrases_count_for_the_outer_one() -> None:
    source = (
        "start:\n- [thing] [be with thing]\nthing:\n- your [noun]\n"
        "noun:\n- shoes @form plural\n- tea\nbe:\n- is\n- are @form plural"
    )
    assert set(texts(source)) == {"your shoes are", "your tea is"}


def test_what_was_read_lately_comes_last_and_the_oldest_of_it_first() -> None:
    rules = read_rules("start:\n- a @weight 100\n- b\n- c")
    keys = {phrase.source: phrase.key for phrase in rules["start"]}
    said: list[str] = []
    for number in range(30):
        recent = {keys[text]: age for age, text in reversed(list(enumerate(reversed(said[-2:]), start=1)))}
        drawn = draw(rules, Plain(), seed=str(number), recent=recent)
        assert drawn is not None
        said.append(drawn.text)
    assert all(len(set(said[at : at + 3])) == 3 for at in range(28))
    only = read_rules("start:\n- a")
    again = draw(only, Plain(), seed="1", recent={only["start"][0].key: 1})
    assert again is not None and again.text == "a"


def test_every_rival_has_a_verdict() -> None:
    source = (
        "start:\n- a @weight 1000\n- b @when never\n- {{ x }} @weight 900\n- [dead]\n- c @weight 0.01\n"
        "dead:\n- d @when never"
    )
    drawn = draw(read_rules(source), Plain(), seed="1", is_explained=True)
    assert drawn is not None
    verdicts = {phrase.source: verdict for phrase, verdict in drawn.others}
    assert verdicts == {"b": "condition", "{{ x }}": "missing", "[dead]": "dead_end", "c": "not_drawn"}


def test_signs_of_the_language_can_be_printed() -> None:
    drawn = draw(read_rules("start:\n- \\[x\\] a\\@b \\\\ me@example.com 5 | 6"), Plain(), seed="1")
    assert drawn is not None and drawn.text == "[x] a@b \\ me@example.com 5 | 6"


@pytest.mark.parametrize(
    "source, kind, line",
    [
        ("hello", "neither_rule_nor_phrase", 1), ("- a", "phrase_before_rule", 1), ("a:\n- x", "no_start", 1),
        ("start:", "empty_rule", 1), ("start:\n- a\nstart:\n- b", "rule_twice", 3),
        ("start:\n- [b]", "unknown_rule", 2), ("start:\n- [a with b]\na:\n- x", "unknown_rule", 2),
        ("start:\n- [start]", "circle", 1), ("start:\n- [a]\na:\n- [b]\nb:\n- [a]", "circle", 3),
        ("start:\n- a @weight 0", "weight", 2), ("start:\n- a @weight nan", "weight", 2),
        ("start:\n- a @weight x", "weight", 2), ("start:\n- a @when x @when y", "option_twice", 2),
        ("start:\n- a @form Two!", "form", 2), ("start:\n- a [b", "bracket", 2),
        ("start:\n- a {% if x %}", "liquid", 2),
        ("start:\n- a {{ x", "liquid", 2), ("start:\n- a\n- a", "phrase_twice", 3),
        ("start:\n- " + "x" * 501, "phrase_too_long", 2),
        ("start:\n" + "".join(f"- {n}\n" for n in range(1001)), "too_many", 1),
    ],
)  # fmt: skip
def test_each_mistake_is_told_with_its_line(source: str, kind: str, line: int) -> None:
    with pytest.raises(ReadingError) as caught:
        read_rules(source)
    assert (kind, line) in [(one.kind, one.line) for one in caught.value.mistakes]


def test_a_grammar_that_doubles_at_each_level_is_refused_before_it_is_tried() -> None:
    levels = "".join(f"r{n}:\n- [r{n + 1}] [r{n + 1}]\n" for n in range(60))
    with pytest.raises(ReadingError, match="too_much_work"):
        read_rules(f"start:\n- [r0]\n{levels}r60:\n- x")
    assert work(read_rules("start:\n- [a] [a]\na:\n- x\n- y")) == 5 < MAX_WORK


def test_a_drawn_text_names_its_phrases() -> None:
    drawn = draw(read_rules("start:\n- [a] [a]\na:\n- x\n- y"), Plain(), seed="1")
    assert isinstance(drawn, Drawn) and len(drawn.keys) == 3
    assert all(re.fullmatch(r"[0-9a-f]{10}", key) for key in drawn.keys)
