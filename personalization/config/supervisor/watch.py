"""Keeps children alive: waits for readiness, starts a crashed one again, stops all in reverse order."""

import signal
import time
from collections.abc import Callable
from types import FrameType

from personalization.config.supervisor.console import Console
from personalization.config.supervisor.problems import StartError
from personalization.config.supervisor.processes import Child, Spec, stop_together

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
STEADY_SECONDS = 20.0
"""A child that lived this long begins again with the first pause."""


class StopRequested(Exception):
    """Ctrl-C, or a signal to end."""


class Watch:
    """Children in stages; a later stage needs the earlier ones, so it ends first."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._stages: list[list[Child]] = []
        self._pauses: dict[str, float] = {}
        self._due: dict[str, tuple[float, int, Spec]] = {}
        self._is_asked_to_stop = False

    def listen_to_signals(self) -> None:
        """Ctrl-C, `kill` and a closed terminal end everything."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        # No lock and so no Event: a handler may interrupt whoever holds it, and would wait for ever.
        self._is_asked_to_stop = True

    def start(self, spec: Spec, *, stage: int) -> Child:
        while len(self._stages) <= stage:
            self._stages.append([])
        child = Child(spec, self.console)
        self._stages[stage].append(child)
        return child

    def look(self) -> None:
        """One round: notes who ended and starts again those whose pause is over. Raises StopRequested."""
        if self._is_asked_to_stop:
            raise StopRequested
        now = time.monotonic()
        for number, stage in enumerate(self._stages):
            for child in [child for child in stage if child.exit_code is not None and not child.spec.once]:
                stage.remove(child)
                self._plan_restart(child, stage=number, now=now)
        for name, (due, number, spec) in list(self._due.items()):
            if now >= due:
                del self._due[name]
                self.start(spec, stage=number)

    def _plan_restart(self, child: Child, *, stage: int, now: float) -> None:
        child.sweep()
        child.finish_output()
        name = child.spec.name
        pause = self._pauses.get(name, FIRST_PAUSE_SECONDS)
        if now - child.started_at > STEADY_SECONDS:
            pause = FIRST_PAUSE_SECONDS
        self._pauses[name] = min(pause * 2, LONGEST_PAUSE_SECONDS)
        self._due[name] = (now + pause, stage, child.spec)
        self.console.say(f"{name} ended ({describe_end(child)}); starting it again in {pause:g} s.")

    def wait_until(
        self, done: Callable[[], bool], *, what: str, timeout_seconds: float = 180.0, patient: bool = False
    ) -> None:
        """Raises StartError, naming what was waited for, after the timeout; StopRequested on Ctrl-C.

        The patient only say that they still wait, every time that the timeout has passed.
        """
        begun = time.monotonic()
        deadline = begun + timeout_seconds
        while not done():
            self.look()
            now = time.monotonic()
            if now > deadline and not patient:
                raise StartError(f"{what} after {timeout_seconds:g} s; the lines above tell why.")
            if now > deadline:
                deadline = now + timeout_seconds
                self.console.say(f"{what} yet, after {now - begun:.0f} s; waiting on.")
            time.sleep(0.03)

    def run(self) -> None:
        """Watches until somebody asks to stop."""
        while True:
            try:
                self.look()
            except StopRequested:
                return
            time.sleep(0.1)

    def stop(self) -> None:
        self._due.clear()
        for stage in reversed(self._stages):
            stop_together(stage)
        self._stages.clear()

    def child(self, name: str) -> Child | None:
        return next((child for stage in self._stages for child in stage if child.spec.name == name), None)


def describe_end(child: Child) -> str:
    code = child.exit_code
    if code is not None and code < 0:
        return f"killed by {signal.Signals(-code).name}"
    return f"exit code {code}"
