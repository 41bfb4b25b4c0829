"""Everything the builder page needs to know of the language: operators in words, fields, other segments."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

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
        "traits": [{**trait, "label": trait_label(trait["name"])} for trait in known["traits"]],
        "events": known["events"],
        "item": known["item"],
        "segments": list(
            Segment.objects.filter(archived_at=None)
            .exclude(pk=exclude.pk if exclude else 0)
            .values("id", "name")
        ),
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
        "removed": _("Condition removed."),
    }
