"""How much memory there is, so that a model too big for it is refused and not killed."""

import os
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")


class NotEnoughMemoryError(MemoryError):
    """The model would not fit into memory; says how much it needs. Nothing was allocated."""


def refuse_beyond(
    limit_mib: int | None, needed: int, sizes: tuple[int, int, int], name: str, instead: str
) -> None:
    """Raises NotEnoughMemoryError when `needed` bytes are over the limit; without one, over what is free.

    `sizes`: users, items, interactions.
    """
    if not needed:
        return
    limit = available_bytes() if limit_mib is None else limit_mib * 2**20
    if needed > limit:
        n_users, n_items, n = sizes
        raise NotEnoughMemoryError(
            f"{name} on {n:,} interactions of {n_users:,} users with {n_items:,} items needs "
            f"{readable(needed)} of memory, {readable(limit)} may be used; take {instead} instead"
        )


def available_bytes() -> int:
    """Memory this process may still take: of the machine, or of its container where that is less."""
    found = [_machine_bytes()]
    try:
        limit = (CGROUP / "memory.max").read_text().strip()
        if limit != "max":
            found.append(int(limit) - int((CGROUP / "memory.current").read_text()))
    except (OSError, ValueError):
        pass  # no container, or one that does not tell
    return max(min(found), 0)


def _machine_bytes() -> int:
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass  # not Linux
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2


def readable(n_bytes: float) -> str:
    """'3.6 GiB' or '120 MiB'."""
    return f"{n_bytes / 2**30:.1f} GiB" if n_bytes >= 2**30 else f"{n_bytes / 2**20:.0f} MiB"
