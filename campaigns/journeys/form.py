"""From a node's or an entry's form to its settings, and back."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from campaigns.journeys.entries.item import CHANGES
from campaigns.journeys.nodes._base import Field
from campaigns.journeys.nodes.split_random import ways_of
from campaigns.models import Campaign, CampaignKind
from personalization.segments.models import Segment


class NotReadable(ValueError):
    """A sentence for the person who filled the form in."""


def read_fields(fields: Sequence[Field], data: Mapping[str, str]) -> dict[str, Any]:
    """Raises NotReadable."""
    return {field.name: _read(field, data.get(f"p-{field.name}", "").strip()) for field in fields}


def _read(field: Field, text: str) -> Any:
    try:
        if field.widget == "flag":
            return text == "on"
        if field.widget == "number":
            number = float(text or 0)
            return int(number) if number.is_integer() else number
        if field.widget in ("segment", "campaign"):
            return int(text) if text else None
        if field.widget == "json":
            return json.loads(text) if text else {}
        if field.widget == "ways":
            pairs = [line.partition(":") for line in text.splitlines() if line.strip()]
            return [[name.strip(), float(weight or 1)] for name, _colon, weight in pairs]
    except ValueError:
        raise NotReadable(_("%(field)s: this cannot be read.") % {"field": field.label}) from None
    return text[:500]


def shown_fields(
    fields: Sequence[Field], params: Mapping[str, Any], faults: Mapping[str, str]
) -> list[dict[str, Any]]:
    """For the page: each field with its value as text, its choices and what is wrong with it."""
    return [
        {
            "field": field, "id": f"p-{field.name}",
            "value": _text(field, params.get(field.name, field.default)),
            "is_on": bool(params.get(field.name, field.default)),
            "choices": _choices(field), "fault": faults.get(field.name, ""),
        }
        for field in fields
    ]  # fmt: skip


def _text(field: Field, value: Any) -> str:
    if value is None:
        return ""
    if field.widget == "json":
        return json.dumps(value) if value else ""
    if field.widget == "ways":
        return "\n".join(f"{name}: {weight:g}" for name, weight in ways_of({"ways": value}).items())
    return f"{value:g}" if isinstance(value, float) else str(value)


def _choices(field: Field) -> list[tuple[str, str]]:
    if field.widget == "segment":
        return [
            (str(pk), name) for pk, name in Segment.objects.filter(archived_at=None).values_list("pk", "name")
        ]
    if field.widget == "campaign":
        found = Campaign.objects.filter(kind=CampaignKind.TRIGGERED).order_by("name")
        return [(str(pk), name) for pk, name in found.values_list("pk", "name")]
    if field.widget == "choice":
        return [(change, change) for change in CHANGES]
    return []
