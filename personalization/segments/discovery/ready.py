"""Segments that can be had by one click, from what computed traits tell already."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from personalization.traits.models import TraitDefinition

RFM = (
    "champions", "loyal", "cannot_lose", "promising", "new", "needs_attention", "at_risk",
    "big_spender_lapsed", "hibernating",
)  # fmt: skip
LIKELY = 0.7


@dataclass(frozen=True)
class Ready:
    """`key`: `<trait>.<value>`, by which it is asked for."""

    key: str
    name: str
    definition: dict[str, Any]


def ready_segments() -> list[Ready]:
    """Of all active traits of the kinds RFM class, lifecycle stage, churn probability and lifetime value."""
    found: list[Ready] = []
    for trait in TraitDefinition.objects.filter(is_active=True, problem=""):
        found += _of(trait)
    return found


def _of(trait: TraitDefinition) -> list[Ready]:
    if trait.kind == "rfm":
        return [_value(trait, value, _rfm_name(value)) for value in RFM]
    if trait.kind == "lifecycle":
        return [_value(trait, value, name) for value, name in _stages().items()]
    if trait.kind == "churn":
        days = trait.window_days or 90
        return [
            _bound(
                trait, "likely", "at_least", LIKELY,
                _("Likely to buy nothing for %(days)s days (%(percent)s %% or more)")
                % {"days": days, "percent": int(100 * LIKELY)},
            )
        ]  # fmt: skip
    return []


def _value(trait: TraitDefinition, value: str, name: str) -> Ready:
    return Ready(f"{trait.name}.{value}", name, {"trait": trait.name, "op": "is", "value": value})


def _bound(trait: TraitDefinition, key: str, op: str, value: float, name: str) -> Ready:
    return Ready(f"{trait.name}.{key}", name, {"trait": trait.name, "op": op, "value": value})


def _rfm_name(value: str) -> str:
    return {
        "champions": _("Champions: bought lately and often"),
        "loyal": _("Loyal: buy often"),
        "cannot_lose": _("Not to be lost: bought often, not lately"),
        "promising": _("Promising: bought lately, a few times"),
        "new": _("New: bought lately, once"),
        "needs_attention": _("In need of attention: neither lately nor often"),
        "at_risk": _("At risk: bought now and then, not lately"),
        "big_spender_lapsed": _("Big spenders who lapsed"),
        "hibernating": _("Hibernating: bought little, long ago"),
    }[value]


def _stages() -> dict[str, str]:
    return {
        "new": _("Lifecycle: new"), "active": _("Lifecycle: active"), "at_risk": _("Lifecycle: at risk"),
        "lapsed": _("Lifecycle: lapsed"),
    }  # fmt: skip
