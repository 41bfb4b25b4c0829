"""What a rehearsal found, and as it is kept."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any


@dataclass
class Failure:
    """Customers whom a message fails for one and the same reason; `examples` are the first of them."""

    variant: str
    reason: str
    detail: str
    customers: int = 0
    examples: list[int] = field(default_factory=list)


@dataclass
class Findings:
    """`days`: messages by day of the workspace's zone. `waiting`: what would still wait at the end.
    `samples`: subject and text of the first few messages, with the customer. `failures`: by variant, reason
    and detail, whom the message itself fails. `pretended`: what is left of coupon pools.
    `journey`: its counts. `is_cut`: it ended at `ends_at`, before the days asked for, because real work
    waited. `due`: how many could leave from when on, to which recipient domain, by channel. `last_at`: when
    the last of them leaves. `per_second`: the rate that is set; None without one. `is_warming`: a warm-up put
    some of them off."""

    starts_at: datetime
    ends_at: datetime
    audience: int = 0
    sent: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    waiting: dict[str, int] = field(default_factory=dict)
    variants: dict[str, dict[str, int]] = field(default_factory=dict)
    days: dict[date, int] = field(default_factory=dict)
    samples: list[dict[str, Any]] = field(default_factory=list)
    failures: dict[tuple[str, str, str], Failure] = field(default_factory=dict)
    pretended: dict[str, int] = field(default_factory=dict)
    journey: dict[str, Any] | None = None
    is_cut: bool = False
    due: dict[str, list[tuple[datetime, int, str]]] = field(default_factory=dict)
    last_at: datetime | None = None
    per_second: float | None = None
    is_warming: bool = False

    def people(self) -> set[int]:
        """Ids of the customers that stand in it."""
        shown = {sample["customer"] for sample in self.samples if sample["customer"] is not None}
        return shown.union(*(failure.examples for failure in self.failures.values()))


TIMES = ("starts_at", "ends_at", "last_at")
# What is needed on the way only.
LEFT_OUT = ("pretended", "due")


def as_document(found: Findings) -> dict[str, Any]:
    kept = {name: value for name, value in vars(found).items() if name not in LEFT_OUT}
    return kept | {
        **{name: kept[name] and kept[name].isoformat() for name in TIMES},
        "days": {day.isoformat(): n for day, n in found.days.items()},
        "failures": [asdict(one) for one in found.failures.values()],
        "samples": [sample | {"at": sample["at"].isoformat()} for sample in found.samples],
    }


def from_document(kept: Mapping[str, Any]) -> Findings:
    failures = [Failure(**one) for one in kept["failures"]]
    return Findings(**{
        **kept,
        **{name: kept[name] and datetime.fromisoformat(kept[name]) for name in TIMES},
        "days": {date.fromisoformat(day): n for day, n in kept["days"].items()},
        "failures": {(one.variant, one.reason, one.detail): one for one in failures},
        "samples": [sample | {"at": datetime.fromisoformat(sample["at"])} for sample in kept["samples"]],
    })  # fmt: skip
