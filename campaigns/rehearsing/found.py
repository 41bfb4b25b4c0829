"""What a rehearsal found."""

from dataclasses import dataclass, field
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
class Rehearsal:
    """`days`: messages by day of the workspace's zone. `waiting`: what would still wait at the end.
    `samples`: subject and text of the first few messages, with the customer. `failures`: by variant, reason
    and detail, whom the message itself fails. `pretended`: what is left of coupon pools.
    `journey`: its counts. `is_cut`: the work ran out at `ends_at`, before the days asked for. `due`: how many
    could leave from when on, to which recipient domain, by channel. `last_at`: when the last of them leaves.
    `per_second`: the rate that is set; None without one. `is_warming`: a warm-up put some of them off."""

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
