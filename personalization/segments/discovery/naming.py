"""What columns and groups are called for people, in their language."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

MUCH = 1.0  # standard deviations


def column_name(column: str) -> str:
    """Of a column of `features.Plan.names`."""
    kind, _colon, name = column.partition(":")
    if kind == "share":
        return _("interest in %(category)s") % {"category": name}
    if kind == "trait":
        return name.replace("_", " ")
    if kind == "mark":
        return name.replace("_", " ").replace("=", " = ")
    return {
        "recency": _("days since the last purchase"),
        "purchases": _("purchases in a year"),
        "spent": _("spent in a year"),
        "average": _("average purchase"),
        "activity": _("events in 30 days"),
        "tenure": _("days as a customer"),
    }[column]


def difference_in_words(column: str, difference: float) -> str:
    """`difference` in standard deviations."""
    name = {"name": column_name(column)}
    if difference >= MUCH:
        return _("%(name)s: much higher") % name
    if difference > 0:
        return _("%(name)s: higher") % name
    return (_("%(name)s: much lower") if difference <= -MUCH else _("%(name)s: lower")) % name


def group_name(group: Mapping[str, Any]) -> str:
    """What sets it apart, the largest difference first."""
    parts = [difference_in_words(column, by) for column, by in group["apart"]]
    return f"{group['letter']} ({'; '.join(parts)})"
