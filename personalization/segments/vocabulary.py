"""Everything the builder page needs to know of the language: operators in words, fields, other segments."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from personalization.customers.models import Channel
from personalization.segments import definition
from personalization.segments.describe import trait_label
from personalization.segments.fields import known_fields
from personalization.segments.models import Segment
from personalization.segments.operators import OPERATORS


def vocabulary(*, exclude: Segment | None, now: datetime) -> dict[str, Any]:
    known = known_fields(now=now)
    return {
        "operators": {
            name: {"label": _(operator.label), "kind": operator.kind, "takes": operator.takes}
            for name, operator in OPERATORS.items()
        },
        "numberTests": [*definition.NUMBER_TESTS, "top_percent"],
        "dateTests": list(definition.DATE_TESTS),
        "aggregates": _aggregates(),
        "channels": {value: str(label) for value, label in Channel.choices},
        "traits": [{**trait, "label": trait_label(trait["name"])} for trait in known["traits"]],
        "events": known["events"],
        "item": known["item"],
        "segments": list(
            Segment.objects.filter(archived_at=None)
            .exclude(pk=exclude.pk if exclude else 0)
            .values("id", "name")
        ),
        "starters": _starters({event["name"] for event in known["events"]}),
        "texts": _texts(),
    }


def _aggregates() -> dict[str, str]:
    return {
        "count": _("Number of times"),
        "sum": _("Sum of"),
        "average": _("Average of"),
        "largest": _("Largest"),
        "smallest": _("Smallest"),
        "distinct": _("Number of different"),
        "first": _("First time"),
        "last": _("Last time"),
    }


def _texts() -> dict[str, str]:
    return {
        "unfinished": _("Some conditions are not finished yet; they are left out of the count."),
        "offline": _("The server did not answer. Check the connection and change something to count again."),
        "unsaved": _("You have unsaved changes."),
        "of": _("of %(total)s customers"),
        "estimating": _("Estimated, give or take %(margin)s; everybody is being counted."),
        "estimated": _("Estimated, give or take %(margin)s: counting everybody takes too long."),
        "remove": _("Remove %(value)s"),
        "recent": _("%(number)s in 90 days"),
        "and": _("and"),
        "or": _("or"),
        "nor": _("nor"),
    }


def _starters(events: set[str]) -> list[dict[str, Any]]:
    """Common segments to begin with; only those whose event really comes in."""
    order = "Order Completed"

    def ordered(test: str, value: int, window: dict[str, int] | None = None) -> dict[str, Any]:
        node: dict[str, Any] = {"event": order, "op": "count", "is": test, "value": value}
        return {**node, "window": window} if window else node

    lapsed = [ordered("at_least", 1), {"not": {"any": [ordered("at_least", 1, {"last_days": 90})]}}]
    best = {"event": order, "op": "sum", "is": "top_percent", "value": 10, "window": {"last_days": 365}}
    shops = [
        {"label": _("Bought lately"), "icon": "shopping_bag",
         "definition": {"all": [ordered("at_least", 1, {"last_days": 30})]}},
        {"label": _("Best tenth by spending"), "icon": "trophy", "definition": {"all": [best]}},
        {"label": _("Bought once, silent since"), "icon": "bedtime", "definition": {"all": lapsed}},
        {"label": _("Never bought"), "icon": "person_off", "definition": {"all": [ordered("is", 0)]}},
    ]  # fmt: skip
    newcomers = {"trait": "created_at", "op": "within_days", "value": 30}
    general = [
        {"label": _("Newcomers"), "icon": "waving_hand", "definition": {"all": [newcomers]}},
        {"label": _("May get our e-mail"), "icon": "verified_user",
         "definition": {"all": [{"consent": "email", "topic": "marketing"}]}},
    ]  # fmt: skip
    return [*(shops if order in events else []), *general]
