"""`manage.py load` of a file of events in a process of its own: how long, with what memory, until killed."""

import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from _run import ROOT


@dataclass(frozen=True)
class Loaded:
    """`mib`: the most memory the process ever had, its program and libraries with it."""

    seconds: float
    mib: float


def load_in_process(file: Path) -> Loaded:
    return _watch(_start(file), killed_after=None)


def load_until_killed(file: Path, *, after: int) -> Loaded:
    """SIGKILL as soon as it says that so many rows are durable."""
    return _watch(_start(file), killed_after=after)


def _start(file: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "manage.py", "load", "events", str(file), "--unknown-items", "create"]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def _watch(process: subprocess.Popen[bytes], *, killed_after: int | None) -> Loaded:
    began, told, mib = time.perf_counter(), "", 0.0
    assert process.stderr is not None
    # Not the peak that `wait4` tells: it begins with that of the process that forked.
    while said := os.read(process.stderr.fileno(), 4096):  # after each block
        told = (told + said.decode())[-400:]
        mib = max(mib, _peak_mib(process.pid))
        rows = re.findall(r"(\d+) rows,", told)
        if killed_after is not None and rows and int(rows[-1]) >= killed_after:
            process.send_signal(signal.SIGKILL)
            break
    wanted = 0 if killed_after is None else -signal.SIGKILL
    if process.wait() != wanted:
        raise SystemExit(f"load ended with {process.returncode}: {told}")
    return Loaded(time.perf_counter() - began, mib)


def _peak_mib(pid: int) -> float:
    found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0
