"""What every benchmark shares: its options, the paired timing, and the row it leaves behind.

A benchmark runs its peers in the same process or on the same server, in turn with ours, and prints ratios:
absolute times on a shared machine mean little. The last line it prints is one JSON object.
"""

import argparse
import ctypes
import gc
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
sys.path.insert(0, str(ROOT))


def parse_args(
    doc: str | None, *, add: Callable[[argparse.ArgumentParser], object] | None = None
) -> argparse.Namespace:
    """`--quick` (at most 60 s, smaller data) and `--save` (keep the row in benchmarks/results)."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="smaller data, at most 60 seconds")
    parser.add_argument("--save", action="store_true", help="write benchmarks/results/<name>.json")
    if add is not None:
        add(parser)
    return parser.parse_args()


def setup_django() -> None:
    """Settings from the environment; DATABASE_URL must name a database that may be written to."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "personalization.config.settings")
    os.environ.setdefault("DEBUG", "1")
    import django

    django.setup()


def timed(work: Callable[[], object]) -> float:
    """Wall seconds of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def in_turn(works: dict[str, Callable[[], object]], *, rounds: int = 3) -> dict[str, float]:
    """Median seconds of each, run A B A B …, so that a drifting machine touches all of them alike."""
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            seconds[name].append(timed(work))
    return {name: statistics.median(values) for name, values in seconds.items()}


def restart_peak() -> float:
    """Lets the peak of this process begin anew, and answers it: MiB."""
    gc.collect()
    # What earlier work has freed goes back to the system: else the next would grow into it unseen.
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")
    return peak_mib()


def peak_mib() -> float:
    """The most memory of this process since `restart_peak`."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


def report(
    name: str,
    figures: dict[str, object],
    ratios: dict[str, float],
    *,
    args: argparse.Namespace,
    packages: tuple[str, ...] = (),
) -> None:
    """Prints the row, and keeps it with machine and versions when asked to."""
    row = {"name": name, "figures": figures, "ratios": {k: round(v, 3) for k, v in ratios.items()}}
    if args.save:
        kept = {**row, "quick": args.quick, "machine": _machine(), "versions": _versions(packages)}
        RESULTS.mkdir(parents=True, exist_ok=True)
        (RESULTS / f"{name}.json").write_text(json.dumps(kept, indent=2) + "\n")
    print(json.dumps(row))


def _machine() -> dict[str, object]:
    model = ""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        model = next(
            (line.split(":")[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line),
            "",
        )
    return {"cores": os.cpu_count(), "processor": model, "system": platform.system()}


def _versions(packages: tuple[str, ...]) -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in ("django", *packages):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found
