"""Whether there is anything for a message to recommend."""

from collections.abc import Iterator
from typing import Any, Literal

from django.utils.translation import gettext as _

from campaigns.item_choice import ItemChoice
from campaigns.items.asked_for import asks_for_items
from campaigns.items.counts import count_items, idle_pins
from campaigns.models import Message
from campaigns.needs.recommend import read_choice
from personalization.catalog.selectors import items
from recommender.ranking.rules import Rules

Finding = tuple[Literal["error", "warning"], str, str]


def item_findings(message: Message, compiled: Any) -> Iterator[Finding]:
    """Level, sentence and field of the message. Only of a message that shows items."""
    is_needed = not asks_for_items(compiled.source)
    if compiled.uses("items"):
        yield from _of_the_list(message, is_needed=is_needed)
    for need in compiled.needs:
        if need.kind != "recommend":
            continue
        # What differs by customer only leaves fewer.
        fitting, everything = count_items(read_choice(need.name, need.fixed()).rules)
        if not fitting:
            yield "error" if everything or is_needed else "warning", _nothing(message, everything), "body"


def _of_the_list(message: Message, *, is_needed: bool) -> Iterator[Finding]:
    choice = ItemChoice(message.item_count, Rules.from_json(message.rules))
    fitting, everything = count_items(choice.rules)
    if not fitting:
        yield "error" if everything or is_needed else "warning", _nothing(message, everything), "rules"
        return
    facts = {"name": message.name, "n": fitting, "count": choice.count}
    if fitting < min(choice.count, everything):
        text = _("%(name)s: only %(n)s items fit the rules, fewer than the %(count)s it may show.")
        yield "warning", text % facts, "rules"
    if idle := idle_pins(choice.rules):
        names = ", ".join(item["name"] for item in items(idle).values())
        text = _("%(name)s: pinned, but hidden, sold out or outside the other rules: %(items)s.")
        yield "warning", text % {**facts, "items": names}, "rules/pinned"


def _nothing(message: Message, everything: int) -> str:
    if everything:
        return _("%(name)s: no item fits the rules.") % {"name": message.name}
    text = _(
        "%(name)s: it shows items, and there is none to show: the catalog is empty, or all of it is hidden or"
        " sold out. Fill the catalog, or take the items out of the message."
    )
    return text % {"name": message.name}
