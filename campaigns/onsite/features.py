"""By what a list of next best actions tells customers apart: what is known of somebody who is shown one.

What was known then is written into the event that says that it was seen; models are learned from that alone,
so nothing that came of an action can explain it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.utils.translation import gettext_lazy as _
from numpy.typing import NDArray

SITUATION = {
    "device": _("device"), "daypart": _("time of day"), "weekend": _("weekend"), "country": _("country"),
    "language": _("language"),
}  # fmt: skip
MAX_NAMES = 10
MAX_COLUMNS = 12
MAX_VALUE = 40  # characters
MIN_SHARE = 0.02  # a rarer value has no column of its own
CLIP = 3.0  # deviations: one customer with a thousand orders must not bend the line

Seen = Mapping[str, Any]  # name → text or number
Floats = NDArray[np.float64]


def seen_as(profile: Mapping[str, Any], details: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """`details`: the situation as templates see it (`context.as_values`). What is not known is left out."""
    weekend = details.get("is_weekend")
    situation = {
        "device": (details.get("device") or {}).get("kind"), "daypart": details.get("daypart"),
        "weekend": None if weekend is None else "yes" if weekend else "no",
        "country": profile.get("country"),
        "language": str(profile.get("language") or "").replace("_", "-").split("-")[0].lower(),
    }  # fmt: skip
    traits = profile.get("traits") or {}
    found = {name: _plain(situation[name] if name in situation else traits.get(name)) for name in names}
    return {name: value for name, value in found.items() if value not in (None, "")}


def _plain(value: object) -> str | float | None:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return float(value) if np.isfinite(value) else None
    return value[:MAX_VALUE] if isinstance(value, str) else None


@dataclass(frozen=True)
class Column:
    """An indicator of `value`, or with None a number, in deviations from its mean; what is missing is 0."""

    name: str
    value: str | None
    mean: float = 0.0
    deviation: float = 1.0

    def of(self, seen: Seen) -> float:
        known = seen.get(self.name)
        if self.value is not None:
            return float(known == self.value)
        if not isinstance(known, int | float):
            return 0.0
        return float(np.clip((known - self.mean) / self.deviation, -CLIP, CLIP))


def said(name: str, value: str | float) -> str:
    """In words: device: mobile."""
    shown = value if isinstance(value, str) else f"{value:g}"
    return f"{SITUATION.get(name, name)}: {shown}"


def columns_of(rows: Sequence[Seen]) -> list[Column]:
    """Numbers as they are; of texts each value that is not rare, without the commonest, which the others are
    compared with."""
    found: list[tuple[float, Column]] = []
    for name in sorted({name for row in rows for name in row}):
        values = [row[name] for row in rows if name in row]
        numbers = np.array([value for value in values if isinstance(value, int | float)], dtype=np.float64)
        if len(numbers) == len(values):
            if (deviation := float(numbers.std())) > 0:
                found.append((1.0, Column(name, None, float(numbers.mean()), deviation)))
            continue
        counts = Counter(value for value in values if isinstance(value, str))
        if len(values) == len(rows):
            counts.pop(max(counts, key=lambda value: (counts[value], value)))
        for value, count in counts.items():
            if count / len(rows) >= MIN_SHARE:
                found.append((count / len(rows), Column(name, value)))
    found.sort(key=lambda one: (-one[0], one[1].name, one[1].value or ""))
    return [column for _share, column in found[:MAX_COLUMNS]]


def vector(columns: Sequence[Column], seen: Seen) -> Floats:
    return np.array([1.0, *(column.of(seen) for column in columns)])
