"""At most how many messages a second, as it stands in `SenderAccount.pace`. Pure."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

LEAST, MOST = 0.001, 100_000.0  # one in a quarter of an hour; faster than anything we reach
MAX_DOMAINS = 100
DOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+")


class RateError(ValueError):
    """`pointer` is the field, `code` says what is wrong."""

    def __init__(self, pointer: str, code: str) -> None:
        super().__init__(f"{pointer}: {code}")
        self.pointer = pointer
        self.code = code


@dataclass(frozen=True)
class Pace:
    """Messages a second: of the account, to each domain of recipients, and to domains that have a rate of
    their own. None: as fast as it goes."""

    per_second: float | None = None
    per_domain: float | None = None
    domains: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Pace":
        """Raises RateError for the first thing that is wrong."""
        unknown = sorted(set(data) - {"per_second", "per_domain", "domains"})
        if unknown:
            raise RateError(unknown[0], "unknown")
        given = data.get("domains") or {}
        if not isinstance(given, Mapping) or len(given) > MAX_DOMAINS:
            raise RateError("domains", "domains")
        domains: dict[str, float] = {}
        for name, value in given.items():
            domain = str(name).strip().lower().rstrip(".")
            rate = read_rate(value, "domains")
            if not DOMAIN.fullmatch(domain) or len(domain) > 253 or rate is None:
                raise RateError("domains", "domains")
            domains[domain] = rate
        return cls(
            read_rate(data.get("per_second"), "per_second"),
            read_rate(data.get("per_domain"), "per_domain"),
            dict(sorted(domains.items())),
        )

    def as_json(self) -> dict[str, Any]:
        return {"per_second": self.per_second, "per_domain": self.per_domain, "domains": dict(self.domains)}

    @property
    def is_set(self) -> bool:
        return self.per_second is not None or self.per_domain is not None or bool(self.domains)

    def of_domain(self, domain: str) -> float | None:
        return self.domains.get(domain, self.per_domain)


def read_rate(value: object, pointer: str) -> float | None:
    """None for an empty one. Raises RateError."""
    if value in (None, ""):
        return None
    try:
        rate = float(str(value))
    except ValueError:
        raise RateError(pointer, "number") from None
    if not (math.isfinite(rate) and LEAST <= rate <= MOST):
        raise RateError(pointer, "range")
    return rate


def domain_of(address: object) -> str:
    """Of an e-mail address, in lower case; empty for addresses of other channels."""
    return address.rpartition("@")[2].lower() if isinstance(address, str) and "@" in address else ""
