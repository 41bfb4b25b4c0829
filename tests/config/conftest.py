"""Starts `manage.py up` for real, in folders and on ports of its own."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from personalization.config import telemetry
from personalization.config.supervisor.ports import free_port
from tests.campaigns.conftest import make_campaign, make_customers, sink  # noqa: F401
from tests.config.collector import Collector

CHECKOUT = Path(__file__).resolve().parents[2]
ENGINE_NAMES = ("DATABASE_URL", "REDIS_URL", "EMAIL_URL", "SITE_URL", "DEBUG", "SECRET_KEY", "ALLOW_HTTP")


class Running:
    """A started `manage.py up`, its output read as it comes."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.folder = folder
        self.port, self.smtp_port, self.inbox_port = free_port(), free_port(), free_port()
        ports = [
            "--port",
            str(self.port),
            "--smtp-port",
            str(self.smtp_port),
            "--inbox-port",
            str(self.inbox_port),
        ]
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "up", *ports, *arguments],
            cwd=CHECKOUT,
            env=clean_environment(folder),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(iter(self.process.stdout.readline, ""))

    @property
    def output(self) -> str:
        return "".join(self.lines)

    def wait_for(self, text: str, *, seconds: float = 180) -> None:
        deadline = time.monotonic() + seconds
        while text not in self.output:
            ended = self.process.poll() is not None
            if ended or time.monotonic() > deadline:
                self._reader.join(timeout=2)
                assert text in self.output, f"{text!r} not said in:\n{self.output}"
                return
            time.sleep(0.05)

    def stop(self, number: int = signal.SIGINT) -> None:
        self.process.send_signal(number)
        self.process.wait(timeout=60)
        self._reader.join(timeout=2)


def clean_environment(folder: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in ENGINE_NAMES}
    return kept | {"BESPOKE_DATA_DIR": str(folder)} | more


def processes_with(text: str) -> dict[int, str]:
    """Command lines of all processes that name the text, or have it in their environment."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            state = (folder / "stat").read_text().rsplit(")", 1)[1].split()[0]
            environment = (folder / "environ").read_bytes().decode(errors="replace")
            if state != "Z" and int(folder.name) != os.getpid() and (text in command or text in environment):
                found[int(folder.name)] = command
    return found


@pytest.fixture
def reachable_folder() -> Iterator[Path]:
    """A folder that the account without rights can enter; pytest's own are closed to others."""
    import shutil
    import tempfile

    folder = Path(tempfile.mkdtemp(prefix="bespoke-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def start(reachable_folder: Path) -> Iterator[type[Running]]:
    """Starts the product in the folder; whatever a test leaves running is ended."""
    started: list[Running] = []

    def begin(*arguments: str, folder: Path | None = None) -> Running:
        started.append(Running(folder or reachable_folder / "data", *arguments))
        return started[-1]

    yield begin  # type: ignore[misc]
    for running in started:
        if running.process.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                running.stop(signal.SIGTERM)
            running.process.kill()


@pytest.fixture
def find_processes() -> object:
    return processes_with


@pytest.fixture
def environment() -> object:
    return clean_environment


@pytest.fixture
def collector(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    collector = Collector()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    settings.OTEL_EXPORTER_OTLP_ENDPOINT = collector.url
    settings.MIDDLEWARE = ["personalization.config.telemetry.TracingMiddleware", *settings.MIDDLEWARE]
    telemetry.start("web")
    yield collector
    telemetry.stop()
    collector.close()
