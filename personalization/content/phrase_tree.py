"""A phrase set tried on a customer: some texts, and how one of them came about, as a tree."""

from collections.abc import Mapping
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from personalization.content.grammar import drawing
from personalization.content.grammar.drawing import Drawn
from personalization.content.grammar.reading import variety
from personalization.content.phrases import generate, rules_of
from personalization.context import as_values
from personalization.customers.contexts import context_of

SAMPLES = 6
EXAMPLE = {"id": 0, "first_name": "Ann", "last_name": "Example", "city": "Cork", "language": "", "traits": {}}


def try_phrases(
    frozen: Mapping[str, Any],
    profile: Mapping[str, Any] | None = None,
    *,
    language: str = "",
    number: int = 1,
) -> dict[str, Any]:  # fmt: skip
    """`texts` of some messages, the `tree` of message `number`; without memory. Raises ReadingError."""
    profile = profile or EXAMPLE
    customer = {**profile, "language": language or profile.get("language") or ""}
    now = timezone.now()
    values = {
        "customer": customer, "context": as_values(context_of(customer, at=now)), "now": now, "trigger": {},
        "campaign": {"name": "", "topic": ""},
    }  # fmt: skip
    made = [
        generate(frozen, values, seed=f"try-{one}", is_explained=one == number)
        for one in range(number, number + SAMPLES)
    ]
    return {
        "number": number, "language": made[0].language, "texts": [one.text for one in made],
        "tree": _as_tree(made[0].drawn) if made[0].drawn else None,
        "variety": variety(rules_of(frozen["texts"][made[0].language])),
    }  # fmt: skip


def verdict_text(verdict: str) -> str:
    return {
        drawing.CONDITION: _("its condition does not hold"),
        drawing.AGREEMENT: _("does not agree"),
        drawing.MISSING: _("a value is missing"),
        drawing.DEAD_END: _("a rule in it has no phrase that fits"),
        drawing.RECENT: _("read lately"),
        drawing.NOT_DRAWN: _("possible, not drawn"),
    }[verdict]


def _as_tree(drawn: Drawn) -> dict[str, Any]:
    return {
        "rule": drawn.phrase.rule, "phrase": drawn.phrase.source, "text": drawn.text,
        "forms": sorted(drawn.forms),
        "children": [_as_tree(one) for one in drawn.children if isinstance(one, Drawn)],
        "others": [
            {"phrase": phrase.source, "verdict": verdict, "why": verdict_text(verdict)}
            for phrase, verdict in drawn.others
        ],
    }  # fmt: skip
