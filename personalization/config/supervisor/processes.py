# ruff: noqa: S603
"""One child process: its own session, its output line by line, its end with everything it started."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from personalization.config.supervisor.accounts import Account, popen_arguments
from personalization.config.supervisor.console import Console

PR_SET_PDEATHSIG = 1
_prctl = ctypes.CDLL(None, use_errno=True).prctl if sys.platform == "linux" else None


@dataclass(frozen=True)
class Spec:
    """How to start a child and how to end it."""

    name: str
    command: list[str]
    env: dict[str, str] | None = None
    account: Account | None = None
    cwd: Path = Path("/")
    once: bool = False
    """Runs to its end and is not started again."""
    stop_signal: int = signal.SIGTERM
    hurry_signal: int = signal.SIGKILL
    """Sent when the child is still there after `grace_seconds`."""
    grace_seconds: float = 1.5
    quiet: tuple[str, ...] = field(default=())
    """Lines that contain one of these are not shown."""
    on_line: Callable[[str], bool] | None = None
    """Sees each line first; True keeps it from the terminal."""


class Child:
    """A started Spec."""

    def __init__(self, spec: Spec, console: Console) -> None:
        self.spec = spec
        self.started_at = time.monotonic()
        self._console = console
        parent = os.getpid()

        def die_with_parent() -> None:
            # Runs after the account was changed (which would reset it): nothing outlives a killed supervisor.
            if _prctl is not None:
                _prctl(PR_SET_PDEATHSIG, spec.stop_signal)
                if os.getppid() != parent:
                    os._exit(1)

        self.process = subprocess.Popen(
            spec.command,
            cwd=spec.cwd,
            env=spec.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent,
            **popen_arguments(spec.account),
        )
        self._reader = threading.Thread(target=self._read, name=f"{spec.name} output", daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for raw in self.process.stdout:
            line = raw.decode("utf-8", "replace").rstrip()
            if not line or any(part in line for part in self.spec.quiet):
                continue
            if self.spec.on_line is not None and self.spec.on_line(line):
                continue
            self._console.line(self.spec.name, line)

    @property
    def exit_code(self) -> int | None:
        return self.process.poll()

    def finish_output(self) -> None:
        """Waits until the last lines of an ended child are out."""
        self._reader.join(timeout=1)

    def signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)

    def sweep(self) -> None:
        """Kills whatever is left of the child's group, such as the pool of a worker that was killed."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)


def stop_together(children: Iterable[Child], *, patience_seconds: float = 0.7) -> None:
    """Asks all to end, hurries those past their grace, kills what is left `patience_seconds` later."""
    waiting = [child for child in children if child.exit_code is None]
    hurried: set[int] = set()
    begun = time.monotonic()
    everyone = list(waiting)
    for child in waiting:
        child.signal(child.spec.stop_signal)
    while waiting:
        past = time.monotonic() - begun
        for child in waiting:
            if past > child.spec.grace_seconds + patience_seconds:
                child.sweep()
            elif past > child.spec.grace_seconds and child.process.pid not in hurried:
                hurried.add(child.process.pid)
                child.signal(child.spec.hurry_signal)
        time.sleep(0.02)
        waiting = [child for child in waiting if child.exit_code is None]
    for child in everyone:
        child.sweep()
        child.finish_output()
